// The storage account: host state, package, work queue, tables, dead letters. No keys, no anonymous access.

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Whether only private endpoints and Event Grid may reach the account.')
param privateAccess bool
@description('Redundancy of the account.')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param redundancy string
@description('Whether Event Grid writes to the account: messages of the queue, dead letters.')
param eventGridWrites bool

@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Object id of the identity with which all topics deliver; empty where each has its own, or none.')
param topicPrincipalId string
@description('Whether they write dead letters with that identity.')
param deadLetters bool
@description('Whether they deliver to the work queue with that identity.')
param queueDelivery bool
@description('Whether roles are assigned here; else they are only told.')
param assignRoles bool
@description('By the names of hardening.json, whether each of its parts is set.')
param hardening object

var names = loadJsonContent('../names.json')

// What policies of landing zones ask for. How storage is encrypted is decided when the account is made.
var service = { enabled: true, keyType: 'Account' }
var hardened = {
  ...(hardening.sasPolicy ? { sasPolicy: { expirationAction: 'Block', sasExpirationPeriod: '7.00:00:00' } } : {})
  ...(hardening.storageEncryption
    ? {
        encryption: {
          keySource: 'Microsoft.Storage'
          requireInfrastructureEncryption: true
          services: { blob: service, file: service, queue: service, table: service }
        }
      }
    : {})
}

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    ...hardened
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowedCopyScope: 'AAD'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Event Grid has no way in over a private endpoint: it comes as a trusted service, with its identity, and the rule
    // that lets it works only while public access is "selected networks". No other is selected.
    publicNetworkAccess: privateAccess && !eventGridWrites ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateAccess ? 'Deny' : 'Allow'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: {
        enabled: true
        days: 7
      }
      containerDeleteRetentionPolicy: {
        enabled: true
        days: 7
      }
    }

    resource containers 'containers' = [for one in [names.packageContainer, names.deadLetterContainer]: {
      name: one
      properties: {
        publicAccess: 'None'
      }
    }]
  }

  resource queues 'queueServices' = {
    name: 'default'

    resource queue 'queues' = [for one in [names.workQueue, names.poisonQueue]: {
      name: one
    }]
  }

  resource tables 'tableServices' = {
    name: 'default'

    resource table 'tables' = [for one in names.tables: {
      name: one
    }]
  }
}

// Undelivered events are evidence, not an archive.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-dead-letters'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['${names.deadLetterContainer}/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 90
                }
              }
            }
          }
        }
      ]
    }
  }
  dependsOn: [account::blobs]
}

module rights 'storage-roles.bicep' = {
  params: {
    storageName: account.name
    forApp: true
    appPrincipalId: appPrincipalId
    topicPrincipalId: topicPrincipalId
    deadLetters: deadLetters
    queueDelivery: queueDelivery
    assignRoles: assignRoles
  }
  dependsOn: [account::blobs::containers, account::queues::queue]
}

output id string = account.id
output name string = account.name
output endpoints object = account.properties.primaryEndpoints
output roles array = rights.outputs.roles
