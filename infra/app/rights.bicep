// The app's rights in Azure: the custom roles, and where each of them is given to the app.
targetScope = 'subscription'

@description('Name of the environment.')
param environmentName string
@description('Object id of the app\'s identity.')
param principalId string
@description('Ids of the subscriptions in which the app reads endpoints, or looks for zones.')
param readSubscriptions string[]
@description('Ids of the subscriptions and resource groups in which the app writes zones, links and records.')
param writeScopes string[]
@description('Ids of the networks that the app links to zones besides the endpoints\' own.')
param linkedNetworks string[]
@description('Id of the network that the app is in, which it reads, in lower case as the others.')
param appNetwork string
@description('Whether the app may delete what it made; without, it reports what it leaves.')
param allowDelete bool

var readNetworks = union(linkedNetworks, [appNetwork])
var writeSubscriptions = map(filter(writeScopes, scope => length(split(scope, '/')) == 3), scope => split(scope, '/')[2])
var writeGroups = filter(writeScopes, scope => length(split(scope, '/')) == 5)
var assignable = union(
  readSubscriptions,
  map(writeScopes, scope => split(scope, '/')[2]),
  map(readNetworks, id => split(id, '/')[2]),
  [subscription().subscriptionId]
)

module roles 'role-definitions.bicep' = {
  params: {
    environmentName: environmentName
    subscriptionIds: assignable
    allowDelete: allowDelete
  }
}

module mayRead 'role-on-subscription.bicep' = [for id in readSubscriptions: {
  scope: subscription(id)
  params: {
    roleName: roles.outputs.readerName
    principalId: principalId
  }
}]

module mayReadNetworksInSubscription 'role-on-subscription.bicep' = [for id in readSubscriptions: {
  scope: subscription(id)
  params: {
    roleName: roles.outputs.networkReaderName
    principalId: principalId
  }
}]

module mayReadNetwork 'role-on-network.bicep' = [for id in readNetworks: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    networkName: last(split(id, '/'))
    roleName: roles.outputs.networkReaderName
    principalId: principalId
  }
}]

module mayWriteInSubscription 'role-on-subscription.bicep' = [for id in writeSubscriptions: {
  scope: subscription(id)
  params: {
    roleName: roles.outputs.writerName
    principalId: principalId
  }
}]

module mayWriteInGroup 'role-on-group.bicep' = [for id in writeGroups: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    roleName: roles.outputs.writerName
    principalId: principalId
  }
}]

module mayDeleteInSubscription 'role-on-subscription.bicep' = [for id in (allowDelete ? writeSubscriptions : []): {
  scope: subscription(id)
  params: {
    roleName: roles.outputs.removerName
    principalId: principalId
  }
}]

module mayDeleteInGroup 'role-on-group.bicep' = [for id in (allowDelete ? writeGroups : []): {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    roleName: roles.outputs.removerName
    principalId: principalId
  }
}]

module mayLink 'role-on-network.bicep' = [for id in linkedNetworks: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    networkName: last(split(id, '/'))
    roleName: roles.outputs.readerName
    principalId: principalId
  }
}]
