// Rights of one topic's own identity: on the one queue and the one container that it writes to, behind the storage
// firewall, which lets no other identity of Event Grid through.

@description('Name of the storage account.')
param storageName string
@description('Object id of the topic\'s own identity.')
param principalId string
@description('Whether the topic delivers to the work queue.')
param queueDelivery bool

var names = loadJsonContent('../names.json')
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

resource deadLetterAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::deadLetters.id, principalId, blobDataContributor)
  scope: account::blobs::deadLetters
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

resource senderAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (queueDelivery) {
  name: guid(account::queues::work.id, principalId, queueMessageSender)
  scope: account::queues::work
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueMessageSender)
  }
}
