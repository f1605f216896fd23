// The app's rights in Azure outside its own resource group: the custom roles, and where each of them is given to the app.
targetScope = 'subscription'

@description('Name of the environment.')
param environmentName string
@description('What tells this installation from others of its name in the tenant.')
param uniquePart string
@description('Object id of the app\'s identity.')
param principalId string
@description('Ids of the subscriptions whose endpoints the app handles, in lower case, each once.')
param watched string[]
@description('Ids of further subscriptions to look in for zones, separated by commas.')
param dnsSubscriptions string
@description('Ids of the resource groups for new zones, separated by commas; empty for each endpoint\'s own.')
param dnsZoneResourceGroups string
@description('Ids of further resource groups or subscriptions with zones that the app may write to, separated by commas.')
param dnsScopes string
@description('Ids of the networks that the app links to zones besides the endpoints\' own.')
param linkedNetworks string[]
@description('Id of the network that the app is in, which it reads.')
param appNetwork string
@description('Whether the app may delete what it made; without, it reports what it leaves.')
param allowDelete bool
@description('Ids of custom roles that exist already, each as name=id with a name of roles.json, separated by commas.')
param roleIds string
@description('Whether roles are made and assigned here; else they are only told.')
param assignRoles bool

var furtherDns = map(filter(split(dnsSubscriptions, ','), id => !empty(trim(id))), id => toLower(trim(id)))
var zoneGroups = map(filter(split(dnsZoneResourceGroups, ','), id => !empty(trim(id))), id => toLower(trim(id)))
var readSubscriptions = union(watched, furtherDns, map(zoneGroups, id => split(id, '/')[2]))

// Where zones may be written: where they are made, and where the deployer says there are some already. In lower case: one
// place written in two ways, now or at the next deployment, would be given the same role twice, which Azure refuses.
var madeIn = empty(zoneGroups) ? map(watched, id => '/subscriptions/${id}') : zoneGroups
var givenScopes = map(filter(split(dnsScopes, ','), scope => !empty(trim(scope))), scope => toLower(trim(scope)))
var writeScopes = union(madeIn, givenScopes)
var linked = union(map(linkedNetworks, id => toLower(id)), [])
var readNetworks = union(linked, [toLower(appNetwork)])
var assignable = union(
  readSubscriptions,
  map(writeScopes, scope => split(scope, '/')[2]),
  map(readNetworks, id => split(id, '/')[2]),
  [subscription().subscriptionId]
)

// Every place and the role that the app has there; a role comes with each kind of place once.
var subscriptionsToRead = map(readSubscriptions, id => '/subscriptions/${id}')
var wanted = concat(
  map(subscriptionsToRead, place => { role: 'endpointReader', place: place }),
  map(subscriptionsToRead, place => { role: 'networkReader', place: place }),
  map(readNetworks, place => { role: 'networkReader', place: place }),
  // Of the endpoint reader's actions, joining counts on a network.
  map(linked, place => { role: 'endpointReader', place: place }),
  map(writeScopes, place => { role: 'dnsWriter', place: place }),
  map(allowDelete ? writeScopes : [], place => { role: 'dnsRemover', place: place })
)
var assigned = assignRoles ? wanted : []
var onSubscriptions = filter(assigned, one => length(split(one.place, '/')) == 3)
var onGroups = filter(assigned, one => length(split(one.place, '/')) == 5)
var onNetworks = filter(assigned, one => length(split(one.place, '/')) > 5)

module roles 'role-definitions.bicep' = {
  params: {
    environmentName: environmentName
    uniquePart: uniquePart
    subscriptionIds: assignable
    allowDelete: allowDelete
    roleIds: roleIds
    makeRoles: assignRoles
  }
}

// One module for all roles of a subscription: Azure takes 800 resources in one template.
module onSubscription 'role-on-subscription.bicep' = [for place in union(map(onSubscriptions, one => one.place), []): {
  scope: subscription(split(place, '/')[2])
  params: {
    roleNames: roles.outputs.names
    roles: map(filter(onSubscriptions, one => one.place == place), one => one.role)
    principalId: principalId
  }
}]

module onGroup 'role-on-group.bicep' = [for one in onGroups: {
  scope: resourceGroup(split(one.place, '/')[2], split(one.place, '/')[4])
  params: {
    roleName: roles.outputs.names[one.role]
    principalId: principalId
  }
}]

module onNetwork 'role-on-network.bicep' = [for one in onNetworks: {
  scope: resourceGroup(split(one.place, '/')[2], split(one.place, '/')[4])
  params: {
    networkName: last(split(one.place, '/'))
    roleName: roles.outputs.names[one.role]
    principalId: principalId
  }
}]

output roles array = [for one in wanted: {
  principal: principalId
  role: roles.outputs.titles[one.role]
  scope: one.place
}]
