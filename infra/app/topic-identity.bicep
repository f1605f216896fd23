// Whose the own identity of a topic is; a topic without one cannot deliver behind the storage firewall, and is refused.

@description('Name of the topic.')
param topicName string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

output principalId string = topic.identity.principalId
