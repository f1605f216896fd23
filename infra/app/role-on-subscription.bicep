// Assigns roles on the subscription that this module is deployed to.
targetScope = 'subscription'

@description('Names (GUIDs) of role definitions, by what roles.json calls them.')
param roleNames object
@description('Which of them to assign.')
param roles string[]
@description('Object id of the app\'s identity.')
param principalId string

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(subscription().id, principalId, roleNames[role])
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNames[role])
  }
}]
