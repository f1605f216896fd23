// How the installation is watched: its logs, the alerts on them, the people whom these reach, and the workbook.

@description('Name of the environment; the alerts\' names begin with it.')
param environmentName string
@description('Name of the workspace.')
param workspaceName string
@description('Name of the Application Insights component.')
param insightsName string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Days that logs are kept. Up to 90 cost nothing.')
param retentionDays int
@description('Gigabytes a day after which no more logs are taken; -1 for no limit.')
param dailyLimitGb int
@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Whether the role is assigned here; else it is only told.')
param assignRoles bool
@description('Mail address for alerts; empty for none.')
param alertEmail string
@description('Resource id of an existing action group to use instead; empty for none.')
param actionGroupId string
@description('Window in which at least one sweep must have succeeded, as an ISO 8601 duration.')
param sweepWindow string
@description('Id of an existing Azure Monitor private link scope; empty for none.')
param privateLinkScopeId string
@description('By the names of hardening.json, whether each of its parts is set.')
param hardening object

module logs 'logs.bicep' = {
  params: {
    workspaceName: workspaceName
    insightsName: insightsName
    location: location
    tags: tags
    retentionDays: retentionDays
    dailyLimitGb: dailyLimitGb
    privateLinkScopeId: privateLinkScopeId
    hardening: hardening
    appPrincipalId: appPrincipalId
    assignRoles: assignRoles
  }
}

module alerts 'alerts.bicep' = {
  params: {
    namePrefix: environmentName
    location: location
    tags: tags
    workspaceId: logs.outputs.workspaceId
    alertEmail: alertEmail
    actionGroupId: actionGroupId
    sweepWindow: sweepWindow
  }
}

output workspaceId string = logs.outputs.workspaceId
output insightsId string = logs.outputs.insightsId
output connectionString string = logs.outputs.connectionString
output actionGroupId string = alerts.outputs.actionGroupId
output roles array = logs.outputs.roles
