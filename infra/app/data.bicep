// What the app keeps: its storage account and its vault and, where they are private, the endpoints that lead to them.

@description('Name of the storage account.')
param storageName string
@description('Name of the vault.')
param vaultName string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Whether storage and vault are reached over private endpoints only; Event Grid comes to storage all the same.')
param privateAccess bool
@description('Where private endpoints are made: namePrefix, subnetId, networkId, createZones, zoneGroupId.')
param endpoints object
@description('Redundancy of the storage account.')
param redundancy string
@description('Whether topics deliver with none, a shared identity, or each with its own.')
@allowed(['None', 'Shared', 'Own'])
param topicsIdentity string
@description('Whether topics deliver to the work queue.')
param queueDelivery bool
@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Object id of the identity that topics share; empty where each has its own, or none.')
param topicPrincipalId string
@description('Whether roles are assigned here; else they are only told.')
param assignRoles bool
@description('Id of the Log Analytics workspace that is told who read which secret.')
param workspaceId string
@description('By the names of hardening.json, whether each of its parts is set.')
param hardening object
@secure()
@description('Elastic Cloud API key to store; empty leaves what is there.')
param ecApiKey string

module storage 'storage.bicep' = {
  params: {
    name: storageName
    location: location
    tags: tags
    privateAccess: privateAccess
    eventGridWrites: topicsIdentity != 'None'
    redundancy: redundancy
    appPrincipalId: appPrincipalId
    topicPrincipalId: topicPrincipalId
    deadLetters: topicsIdentity == 'Shared'
    queueDelivery: topicsIdentity == 'Shared' && queueDelivery
    assignRoles: assignRoles
    hardening: hardening
  }
}

module vault 'vault.bicep' = {
  params: {
    name: vaultName
    location: location
    tags: tags
    appPrincipalId: appPrincipalId
    assignRoles: assignRoles
    privateAccess: privateAccess
    workspaceId: workspaceId
    ecApiKey: ecApiKey
  }
}

module reached 'private-endpoints.bicep' = if (privateAccess) {
  params: {
    location: location
    tags: tags
    endpoints: endpoints
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

output storageId string = storage.outputs.id
output storage object = storage.outputs.endpoints
output vaultName string = vault.outputs.name
output vaultUri string = vault.outputs.uri
output roles array = concat(storage.outputs.roles, vault.outputs.roles)
