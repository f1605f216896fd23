// The function app on Flex Consumption, with all its settings.

@description('Name of the function app.')
param name string
@description('Name of the plan; a Flex Consumption plan has one app.')
param planName string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Resource id of the app\'s identity.')
param identityId string
@description('Client id of the app\'s identity.')
param identityClientId string
@description('Blob endpoint of the storage account.')
param blobEndpoint string
@description('Queue endpoint of the storage account.')
param queueEndpoint string
@description('Table endpoint of the storage account.')
param tableEndpoint string
@description('Connection string of Application Insights; it names the resource and opens nothing.')
param insightsConnection string
@description('Address of the key vault, which the app reads its Elastic Cloud keys from.')
param vaultUri string
@description('Further Elastic Cloud organizations, separated by semicolons, each name=scope.')
param organizations string
@description('Whether the vault holds the key of the organization for all other endpoints.')
param defaultOrganization bool
@description('Subnet for the app\'s traffic.')
param subnetId string
@description('Whether the app is reached over its private endpoint only.')
param closed bool
@description('Where a private endpoint is made: namePrefix, subnetId, networkId, createZones.')
param endpoints object
@description('Memory of an instance.')
param instanceMemoryMB int
@description('Most instances at once.')
param maximumInstanceCount int
@description('Instances that are kept warm, each as group=count, separated by commas.')
param alwaysReady string
@description('The product\'s settings.')
param settings object

var names = loadJsonContent('../names.json')
var further = map(filter(split(organizations, ';'), entry => !empty(trim(entry))), entry => {
  name: trim(split(entry, '=')[0])
  scope: trim(substring(entry, indexOf(entry, '=') + 1))
})
var platform = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__tableServiceUri: tableEndpoint
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_ISOLATE_WORKER_DEPENDENCIES: '1'
  AZURE_CLIENT_ID: identityClientId
  AZURE_AUTHORITY_HOST: environment().authentication.loginEndpoint
  AZURE_RESOURCE_MANAGER_URL: environment().resourceManager
  AZURE_RESOURCE_MANAGER_AUDIENCE: environment().resourceManager
  ELASTIC_KEY_VAULT_URI: vaultUri
  DEFAULT_ORGANIZATION: defaultOrganization ? 'true' : 'false'
  ELASTIC_ORGANIZATIONS: join(map(further, one => one.name), ',')
}

var warm = map(filter(split(alwaysReady, ','), entry => !empty(trim(entry))), entry => {
  name: trim(split(entry, '=')[0])
  instanceCount: int(trim(last(split(entry, '='))))
})

// Settings with the organization's name in theirs, as shared/settings reads them; the keys are in the vault.
var scopes = toObject(further, one => 'ELASTIC_SCOPE_${toUpper(replace(one.name, '-', '_'))}', one => one.scope)

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'autopilot' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: closed ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${names.packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: empty(warm) ? null : warm
      }
      runtime: {
        name: 'python'
        version: '3.12'
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(platform, scopes, settings)
  }
}

// Publishing is by Entra identity only.
resource noBasicAuthFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noBasicAuthScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

module reached 'private-endpoints.bicep' = if (closed) {
  params: {
    location: location
    tags: tags
    endpoints: endpoints
    siteId: site.id
  }
}

output id string = site.id
output name string = site.name
output hostName string = site.properties.defaultHostName
