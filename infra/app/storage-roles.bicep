// Rights on the storage account: the app on all of it, Event Grid on the one queue and the one container it writes to.

@description('Name of the storage account.')
param storageName string
@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Object id of the identity with which Event Grid delivers.')
param topicPrincipalId string
@description('Whether Event Grid delivers to the work queue.')
param queueDelivery bool
@description('Whether Event Grid writes dead letters.')
param deadLetters bool

var names = loadJsonContent('../names.json')
var appRoles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}
var queueMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = {
      name: names.deadLetterContainer
    }
  }

  resource queues 'queueServices' existing = {
    name: 'default'

    resource work 'queues' existing = {
      name: names.workQueue
    }
  }
}

resource appAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in items(appRoles): {
  name: guid(account.id, appPrincipalId, role.value)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
  }
}]

resource deadLetterAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (deadLetters) {
  name: guid(account::blobs::deadLetters.id, topicPrincipalId, blobDataContributor)
  scope: account::blobs::deadLetters
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

resource senderAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (queueDelivery) {
  name: guid(account::queues::work.id, topicPrincipalId, queueMessageSender)
  scope: account::queues::work
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueMessageSender)
  }
}
