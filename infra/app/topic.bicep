// The system topic of one subscription: it must be in the subscription whose events it carries.
targetScope = 'subscription'

@description('Name of the environment.')
param environmentName string
@description('Azure region of the resource group that holds the topic; the topic itself is global.')
param location string
@description('Tags of all resources.')
param tags object
@description('Resource id of this subscription\'s existing system topic; empty makes one. Azure allows one per subscription.')
param existingTopicId string
@description('How events reach the app.')
@allowed(['queue', 'function'])
param eventDelivery string
@description('Resource id of the function app.')
param functionAppId string
@description('Resource id of the storage account.')
param storageId string
@description('Resource id of the identity with which the topic delivers; SystemAssigned for the topic\'s own; empty for none, and then there are no dead letters.')
param topicIdentityId string
@description('Resource id of the action group for alerts; empty for none.')
param actionGroupId string
@description('Whether roles are assigned here; else they are only told.')
param assignRoles bool

var abbreviations = loadJsonContent('../abbreviations.json')
var storagePath = split(storageId, '/')
var reused = !empty(existingTopicId)
var token = uniqueString(subscription().id, environmentName)
// Holds the topic, unless there is one already; and it is the group whose tag proves that events arrive.
var ownGroupName = '${abbreviations.resourceGroups}${environmentName}-events'
// Another team's topic delivers with its own identity: the installation's is not there yet when its owner is asked.
var identityId = reused && !empty(topicIdentityId) ? 'SystemAssigned' : topicIdentityId
var groupName = reused ? split(existingTopicId, '/')[4] : ownGroupName
var topicName = reused ? last(split(existingTopicId, '/')) : '${abbreviations.systemTopics}${environmentName}-${token}'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: ownGroupName
  location: location
  tags: tags
}

module made 'topic-resource.bicep' = if (!reused) {
  scope: resourceGroup(groupName)
  params: {
    name: topicName
    tags: tags
    topicIdentityId: identityId
  }
  dependsOn: [group]
}

// A topic's own identity is known once the topic is there; its rights come before the first event.
module own 'topic-identity.bicep' = if (identityId == 'SystemAssigned') {
  scope: resourceGroup(groupName)
  params: {
    topicName: topicName
  }
  dependsOn: [made]
}

module ownRoles 'storage-roles.bicep' = if (identityId == 'SystemAssigned') {
  scope: resourceGroup(storagePath[2], storagePath[4])
  params: {
    storageName: last(storagePath)
    forApp: false
    appPrincipalId: ''
    topicPrincipalId: own.?outputs.principalId ?? ''
    deadLetters: true
    queueDelivery: eventDelivery == 'queue'
    assignRoles: assignRoles
  }
}

module subscribed 'event-subscription.bicep' = {
  scope: resourceGroup(groupName)
  params: {
    topicName: topicName
    subscriptionName: 'privatelink-${environmentName}'
    probeGroupName: ownGroupName
    eventDelivery: eventDelivery
    functionAppId: functionAppId
    storageId: storageId
    topicIdentityId: identityId
    actionGroupId: actionGroupId
    tags: tags
  }
  dependsOn: [made, ownRoles]
}

output roles array = ownRoles.?outputs.roles ?? []
