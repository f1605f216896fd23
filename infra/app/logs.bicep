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

// What the Functions host and the app write. Azure keeps these for 90 days at no cost; the workspace's retention changes
// nothing (https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure), unless each table has its own.
var tables = ['AppDependencies', 'AppExceptions', 'AppMetrics', 'AppPerformanceCounters', 'AppRequests', 'AppTraces']
var role = loadJsonContent('../built-in-roles.json').monitoringMetricsPublisher

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
output connectionString string = insights.properties.ConnectionString
output roles array = [{ principal: appPrincipalId, role: role.title, scope: insights.id }]
