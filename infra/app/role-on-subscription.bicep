// Assigns a role on the subscription that this module is deployed to.
targetScope = 'subscription'

@description('Name (GUID) of the role definition.')
param roleName string
@description('Object id of the app\'s identity.')
param principalId string

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, roleName)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName)
  }
}
