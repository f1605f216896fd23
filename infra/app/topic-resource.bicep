// A system topic for the events of Azure Resource Manager in this subscription.

@description('Name of the topic.')
param name string
@description('Tags of the topic.')
param tags object
@description('Resource id of the identity with which the topic delivers; SystemAssigned for the topic\'s own; empty for none.')
param topicIdentityId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  identity: empty(topicIdentityId)
    ? null
    : topicIdentityId == 'SystemAssigned'
        ? {
            type: 'SystemAssigned'
          }
        : {
            type: 'UserAssigned'
            userAssignedIdentities: {
              '${topicIdentityId}': {}
            }
          }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}
