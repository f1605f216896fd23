// The custom roles, from roles.json, but for those that exist already. A custom role belongs to the tenant, in which its
// name must be its own, and may be assigned in the listed places.
targetScope = 'subscription'

@description('Name of the environment; part of the roles\' names.')
param environmentName string
@description('What tells this installation from others of its name in the tenant; part of the roles\' names.')
param uniquePart string
@description('Ids of the subscriptions in which the roles are assigned.')
param subscriptionIds string[]
@description('Whether there is a role that deletes; without it the app reports what it leaves.')
param allowDelete bool
@description('Ids of roles that exist already, each as name=id, separated by commas.')
param roleIds string
@description('Whether the others are made here; else they are only told.')
param makeRoles bool

var roles = loadJsonContent('../roles.json')
var entries = map(filter(split(roleIds, ','), entry => !empty(trim(entry))), entry => split(trim(entry), '='))
var given = toObject(entries, entry => trim(entry[0]), entry => last(split(trim(entry[1]), '/')))
var others = filter(objectKeys(roles), role => !contains(given, role))
var made = makeRoles ? filter(others, role => allowDelete || role != 'dnsRemover') : []
var ownNames = toObject(others, role => role, role => guid(subscription().id, environmentName, role))
var ownTitles = toObject(others, role => role, role => 'Private Link Autopilot ${roles[role].title} (${environmentName} ${uniquePart})')

resource definition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in made: {
  name: ownNames[role]
  properties: {
    roleName: ownTitles[role]
    description: roles[role].description
    type: 'customRole'
    assignableScopes: map(subscriptionIds, id => '/subscriptions/${id}')
    permissions: [
      {
        actions: objectKeys(roles[role].actions)
        notActions: []
      }
    ]
  }
}]

// By the names of roles.json: a definition's name, which is a GUID, and what people and `az` call the role.
output names object = union(ownNames, given)
output titles object = union(ownTitles, given)
