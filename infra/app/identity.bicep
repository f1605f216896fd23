// The two identities: one for the function app, one with which Event Grid delivers.

@description('Name of the function app\'s identity.')
param appIdentityName string
@description('Name of the identity with which Event Grid delivers.')
param topicIdentityName string
@description('Whether the storage account has a firewall.')
param storageFirewall bool
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appIdentityName
  location: location
  tags: tags
}

resource topic 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: topicIdentityName
  location: location
  tags: tags
}

output appId string = app.id
output appClientId string = app.properties.clientId
output appPrincipalId string = app.properties.principalId
// Behind a storage firewall only a topic's own identity gets through: the events of any other are refused, and lost.
output topicDelivers string = storageFirewall ? 'SystemAssigned' : topic.id
output topicPrincipalId string = topic.properties.principalId
