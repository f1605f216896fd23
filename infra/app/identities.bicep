// The identities: one for the function app and, where topics share one, that with which Event Grid delivers.

@description('Name of the function app\'s identity.')
param appIdentityName string
@description('Name of the identity with which Event Grid delivers.')
param topicIdentityName string
@description('Whether topics deliver with none, a shared one, or each with its own.')
@allowed(['None', 'Shared', 'Own'])
param topicsIdentity string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object

module app 'identity.bicep' = {
  params: {
    name: appIdentityName
    location: location
    tags: tags
  }
}

module topics 'identity.bicep' = if (topicsIdentity == 'Shared') {
  params: {
    name: topicIdentityName
    location: location
    tags: tags
  }
}

output appId string = app.outputs.id
output appClientId string = app.outputs.clientId
output appPrincipalId string = app.outputs.principalId
// As topics take it: an id, SystemAssigned for each topic's own, or empty.
output topicDelivers string = topics.?outputs.id ?? (topicsIdentity == 'Own' ? 'SystemAssigned' : '')
output topicPrincipalId string = topics.?outputs.principalId ?? ''
