// The roles that an installation needs, in few words: azd keeps them in a variable of its environment, which every hook
// gets, and systems take no longer one than 32,767 characters (Windows) or 131,072 (Linux).
targetScope = 'subscription'

@description('Each role by itself: principal, role, scope.')
param roles array

// The same role at the same place for several principals, as topics have it; then the same of these at several places.
var byPlace = map(items(groupBy(roles, one => '${one.role}|${toLower(one.scope)}')), group => {
  role: group.value[0].role
  scope: group.value[0].scope
  principals: union(map(group.value, one => one.principal), [])
})
var byRole = map(items(groupBy(byPlace, one => '${one.role}|${uniqueString(join(one.principals, ','))}')), group => {
  role: group.value[0].role
  principals: group.value[0].principals
  scopes: map(group.value, one => one.scope)
})
var told = map(items(groupBy(byRole, one => uniqueString(join(one.principals, ','), join(one.scopes, ',')))), group => {
  roles: map(group.value, one => one.role)
  principals: group.value[0].principals
  scopes: group.value[0].scopes
})

@description('Each of the roles for each of the principals at each of the scopes.')
output roles array = told
