// Alerts on what the app logs, the group of people they go to, and the workbook.

@description('Beginning of the alerts\' names.')
param namePrefix string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Log Analytics workspace.')
param workspaceId string
@description('Mail address for alerts; empty for none.')
param alertEmail string
@description('Resource id of an existing action group to use instead; empty for none.')
param actionGroupId string
@description('Window in which at least one sweep must have succeeded, as an ISO 8601 duration.')
@allowed(['PT15M', 'PT30M', 'PT1H', 'PT2H'])
param sweepWindow string

var abbreviations = loadJsonContent('../abbreviations.json')
var makeGroup = empty(actionGroupId) && !empty(alertEmail)
// An alert that has rung for one connection rings again for the next: `dimensions` tell the rows of a query apart.
var rules = [
  {
    name: 'no-successful-sweep'
    title: 'No successful sweep'
    description: 'The timer has not looked at everything without an error for the whole window: wrong settings, missing rights, an expired Elastic Cloud API key, or the app does not run. docs/operations.md: symptoms.'
    query: loadTextContent('../queries/no-successful-sweep.kql')
    dimensions: []
    severity: 1
    operator: 'LessThan'
    threshold: 1
    window: sweepWindow
    frequency: 'PT5M'
  }
  {
    name: 'removals-stopped'
    title: 'Removals stopped'
    description: 'More connections stand for removal than REMOVAL_LIMIT, so none is torn down until a person confirms. GET /api/removals says what it is about; docs/operations.md: removals.'
    query: loadTextContent('../queries/removals-stopped.kql')
    dimensions: ['stop']
    severity: 1
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'not-ready'
    title: 'Connections not Ready for long'
    description: 'A connection has not been Ready for an hour and a half, and no person is asked to act. GET /api/connections/{id} says what it waits for.'
    query: loadTextContent('../queries/not-ready.kql')
    dimensions: ['connection', 'name']
    severity: 2
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT2H'
    frequency: 'PT15M'
  }
  {
    name: 'blocked'
    title: 'Connections blocked'
    description: 'A connection waits for a person; its nextStep says what to do.'
    query: loadTextContent('../queries/blocked.kql')
    dimensions: ['connection', 'name', 'reason']
    severity: 2
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'poison'
    title: 'Messages given up on'
    description: 'The poison queue is not empty: a message failed eight times.'
    query: loadTextContent('../queries/poison.kql')
    dimensions: []
    severity: 2
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'key-expiring'
    title: 'Elastic Cloud API key expires soon'
    description: 'Less than 14 days are left. Make a new key and store it: docs/installation.md, rotation.'
    query: loadTextContent('../queries/key-expiring.kql')
    dimensions: []
    severity: 2
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT1H'
    frequency: 'PT1H'
  }
  {
    name: 'throttled'
    title: 'Throttled often'
    description: 'Azure or Elastic Cloud asked the app to slow down more than five times in half an hour: docs/operations.md, quotas.'
    query: loadTextContent('../queries/throttled.kql')
    dimensions: []
    severity: 3
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT30M'
    frequency: 'PT15M'
  }
  {
    name: 'notifications'
    title: 'Notifications not taken'
    description: 'For an hour the topic of notifications has taken nothing. They wait, 20 of each connection: docs/notifications.md.'
    query: loadTextContent('../queries/notifications.kql')
    dimensions: []
    severity: 3
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT1H'
    frequency: 'PT15M'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (makeGroup) {
  name: '${abbreviations.actionGroups}${namePrefix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'privatelink'
    enabled: true
    emailReceivers: [
      {
        name: 'mail'
        emailAddress: alertEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [for rule in rules: {
  name: '${namePrefix}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Private Link Autopilot: ${rule.title}'
    description: rule.description
    severity: rule.severity
    enabled: true
    autoMitigate: true
    scopes: [workspaceId]
    evaluationFrequency: rule.frequency
    windowSize: rule.window
    // Else a deployment could fail on a workspace that was made a moment ago and answers no queries yet. Tests have them
    // judged, and the table that they read is made with the workspace, so that they work before the first line is logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          dimensions: map(rule.dimensions, column => {
            name: column
            operator: 'Include'
            values: ['*']
          })
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: makeGroup ? [people.id] : empty(actionGroupId) ? [] : [actionGroupId]
    }
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'private-link-autopilot')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Private Link Autopilot'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    // The queries' workspace, also where the workbook is opened from elsewhere than its page.
    serializedData: replace(loadTextContent('../workbook.json'), '\${workspace}', workspaceId)
  }
}

output actionGroupId string = makeGroup ? people.id : actionGroupId
