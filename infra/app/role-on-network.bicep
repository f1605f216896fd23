// Assigns a role on one virtual network: the network reader's, or the endpoint reader's, of which joining counts there.

@description('Name of the virtual network.')
param networkName string
@description('Name (GUID) of the role definition.')
param roleName string
@description('Object id of the app\'s identity.')
param principalId string

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' existing = {
  name: networkName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(network.id, principalId, roleName)
  scope: network
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
}
