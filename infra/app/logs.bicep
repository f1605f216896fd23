// Log Analytics and Application Insights, with Entra authentication only; the app may publish to it.

@description('Name of the workspace.')
param workspaceName string
@description('Name of the Application Insights component.')
param insightsName string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Days that logs are kept. Up to 90 cost nothing for what the app writes.')
@minValue(30)
@maxValue(730)
param retentionDays int
@description('Gigabytes a day after which no more logs are taken; -1 for no limit.')
param dailyLimitGb int
@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Whether the role is assigned here; else it is only told.')
param assignRoles bool
@description('Id of an existing Azure Monitor private link scope, through which alone logs are then written and read; empty for none.')
param privateLinkScopeId string
@description('By the names of hardening.json, whether each of its parts is set.')
param hardening object

// What the Functions host and the app write. Azure keeps these for 90 days at no cost; the workspace's retention changes
// nothing (https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure), unless each table has its own.
var tables = ['AppDependencies', 'AppExceptions', 'AppMetrics', 'AppPerformanceCounters', 'AppRequests', 'AppTraces']
var role = loadJsonContent('../built-in-roles.json').monitoringMetricsPublisher

var publicNetwork = empty(privateLinkScopeId) ? 'Enabled' : 'Disabled'
// Azure works out where a module goes before it looks whether the module is left out: there must always be a place.
var scopePath = split(empty(privateLinkScopeId) ? resourceGroup().id : privateLinkScopeId, '/')

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyLimitGb
    }
    publicNetworkAccessForIngestion: publicNetwork
    publicNetworkAccessForQuery: publicNetwork
    features: {
      disableLocalAuth: hardening.workspaceEntraOnly ? true : null
    }
    // Queries are saved in query packs, or in a storage account that is linked to the workspace, never in the workspace.
    forceCmkForQuery: hardening.savedQueries ? true : null
  }
}

@batchSize(1)
resource table 'Microsoft.OperationalInsights/workspaces/tables@2026-03-01' = [for name in tables: {
  parent: workspace
  name: name
  properties: {
    plan: 'Analytics'
    retentionInDays: retentionDays
    totalRetentionInDays: retentionDays
  }
}]

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: publicNetwork
    publicNetworkAccessForQuery: publicNetwork
    // The app uses no profiler and no debugger, which then need storage that is given to them.
    ForceCustomerStorageForProfiler: hardening.profilerStorage ? true : null
  }
}

module scoped 'private-link-scope.bicep' = if (!empty(privateLinkScopeId)) {
  scope: resourceGroup(scopePath[2], scopePath[4])
  params: {
    scopeName: last(scopePath)
    members: [workspace.id, insights.id]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles) {
  name: guid(insights.id, appPrincipalId, role.id)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.id)
  }
}

output workspaceId string = workspace.id
output insightsId string = insights.id
output connectionString string = insights.properties.ConnectionString
output roles array = [{ principal: appPrincipalId, role: role.title, scope: insights.id }]
