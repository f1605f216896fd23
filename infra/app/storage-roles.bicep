// Rights on the storage account: the app on all of it, Event Grid on the one queue and the one container it writes to.

@description('Name of the storage account.')
param storageName string
@description('Whether the app gets its roles.')
param forApp bool
@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Object id of the identity with which Event Grid delivers.')
param topicPrincipalId string
@description('Whether Event Grid writes dead letters with that identity.')
param deadLetters bool
@description('Whether Event Grid delivers to the work queue with that identity.')
param queueDelivery bool
@description('Whether the roles are assigned here; else they are only told.')
param assignRoles bool

var names = loadJsonContent('../names.json')
var builtIn = loadJsonContent('../built-in-roles.json')
var appRoles = forApp
  ? [builtIn.storageBlobDataOwner, builtIn.storageQueueDataContributor, builtIn.storageTableDataContributor]
  : []

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
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

resource appAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in (assignRoles ? appRoles : []): {
  name: guid(account.id, appPrincipalId, role.id)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
  }
}]

resource deadLetterAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles && deadLetters) {
  name: guid(account::blobs::deadLetters.id, topicPrincipalId, builtIn.blobDataContributor.id)
  scope: account::blobs::deadLetters
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtIn.blobDataContributor.id)
  }
}

resource senderAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles && queueDelivery) {
  name: guid(account::queues::work.id, topicPrincipalId, builtIn.queueMessageSender.id)
  scope: account::queues::work
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtIn.queueMessageSender.id)
  }
}

output roles array = concat(
  map(appRoles, role => {
    principal: appPrincipalId
    role: role.title
    scope: account.id
  }),
  deadLetters
    ? [{ principal: topicPrincipalId, role: builtIn.blobDataContributor.title, scope: account::blobs::deadLetters.id }]
    : [],
  queueDelivery
    ? [{ principal: topicPrincipalId, role: builtIn.queueMessageSender.title, scope: account::queues::work.id }]
    : []
)
