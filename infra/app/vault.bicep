// The vault with the Elastic Cloud API key, and the app's right to read secrets in it.

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Whether the role is assigned here; else it is only told.')
param assignRoles bool
@description('Whether only private endpoints may reach the vault.')
param privateAccess bool
@description('Id of the Log Analytics workspace that is told who read which secret.')
param workspaceId string
@secure()
@description('Elastic Cloud API key to store; empty leaves what is there.')
param ecApiKey string

var names = loadJsonContent('../names.json')
var role = loadJsonContent('../built-in-roles.json').keyVaultSecretsUser

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    publicNetworkAccess: privateAccess ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateAccess ? 'Deny' : 'Allow'
    }
  }
}

resource secret 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = if (!empty(ecApiKey)) {
  parent: vault
  name: names.elasticKeySecret
  tags: tags
  properties: {
    contentType: 'Elastic Cloud API key'
    value: ecApiKey
  }
}

// The newest stable version of this type is of 2016 and knows no categories.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles) {
  name: guid(vault.id, appPrincipalId, role.id)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
output roles array = [{ principal: appPrincipalId, role: role.title, scope: vault.id }]
