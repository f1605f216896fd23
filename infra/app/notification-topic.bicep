// Lets the app publish its notifications to a custom topic that exists, and tells where that is.

@description('Name of the topic; its input schema must be CloudEvents 1.0.')
param topicName string
@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Whether the role is assigned here; else it is only told.')
param assignRoles bool

var role = loadJsonContent('../built-in-roles.json').eventGridDataSender

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles) {
  name: guid(topic.id, appPrincipalId, role.id)
  scope: topic
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
  }
}

output endpoint string = topic.properties.endpoint
output roles array = [{ principal: appPrincipalId, role: role.title, scope: topic.id }]
