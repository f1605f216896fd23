// The subscription to events about private endpoints and Elastic's private DNS zones on one system topic, and alerts on what could not be delivered.

@description('Name of the system topic.')
param topicName string
@description('Name of the event subscription.')
param subscriptionName string
@description('Name of the resource group of which a changed tag proves once that events arrive; the app drops that event.')
param probeGroupName string
@description('How events reach the app.')
@allowed(['queue', 'function'])
param eventDelivery string
@description('Resource id of the function app.')
param functionAppId string
@description('Resource id of the storage account.')
param storageId string
@description('Resource id of the identity with which the topic delivers; SystemAssigned for the topic\'s own; empty for none.')
param topicIdentityId string
@description('Resource id of the action group for alerts; empty for none.')
param actionGroupId string
@description('Tags of the alerts.')
param tags object

var names = loadJsonContent('../names.json')
var deliveringIdentity = topicIdentityId == 'SystemAssigned'
  ? {
      type: 'SystemAssigned'
    }
  : {
      type: 'UserAssigned'
      userAssignedIdentity: topicIdentityId
    }
var deadLetters = {
  endpointType: 'StorageBlob'
  properties: {
    resourceId: storageId
    blobContainerName: names.deadLetterContainer
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource endpointEvents 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: subscriptionName
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    destination: eventDelivery == 'queue'
      ? null
      : {
          endpointType: 'AzureFunction'
          properties: {
            resourceId: '${functionAppId}/functions/${names.eventFunction}'
          }
        }
    deliveryWithResourceIdentity: eventDelivery == 'queue'
      ? {
          identity: deliveringIdentity
          destination: {
            endpointType: 'StorageQueue'
            properties: {
              resourceId: storageId
              queueName: names.workQueue
              queueMessageTimeToLiveInSeconds: -1
            }
          }
        }
      : null
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
      ]
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.Network/privateEndpoints/write'
            'Microsoft.Network/privateEndpoints/delete'
            // What Elastic's service may write below an endpoint when it approves it.
            'Microsoft.Network/privateEndpoints/privateLinkServiceProxies/write'
            'Microsoft.Network/privateEndpoints/privateLinkServiceProxies/delete'
            // Tags changed in the portal, with `az tag` or by a policy: no write of the endpoint is reported for these.
            'Microsoft.Resources/tags/write'
            'Microsoft.Resources/tags/delete'
            // What others change in private DNS is repaired at once. The app drops what is about its own changes.
            'Microsoft.Network/privateDnsZones/write'
            'Microsoft.Network/privateDnsZones/delete'
            'Microsoft.Network/privateDnsZones/virtualNetworkLinks/write'
            'Microsoft.Network/privateDnsZones/virtualNetworkLinks/delete'
            'Microsoft.Network/privateDnsZones/A/write'
            'Microsoft.Network/privateDnsZones/A/delete'
          ]
        }
        {
          operatorType: 'StringContains'
          key: 'subject'
          values: [
            '/providers/Microsoft.Network/privateEndpoints/'
            // The zones of both families, those of ELASTIC_SERVICES too: zone and ending follow from the alias.
            '.azure.elastic-cloud.com'
            '.azure.elastic.cloud'
            // What the hook postdeploy proves the delivery with.
            '/resourceGroups/${probeGroupName}/providers/Microsoft.Resources/tags/'
          ]
        }
      ]
    }
    // The timer makes a lost event good, so a day of attempts is enough.
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: empty(topicIdentityId)
      ? null
      : {
          identity: deliveringIdentity
          deadLetterDestination: deadLetters
        }
  }
}

resource undelivered 'Microsoft.Insights/metricAlerts@2026-01-01' = [for metric in ['DeadLetteredCount', 'DroppedEventCount']: {
  // Another installation may use the same topic, with a subscription and alerts of its own.
  name: '${topicName}-${subscriptionName}-${metric}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid gave up on events about private endpoints. The timer finds what they were about; find out why they could not be delivered.'
    severity: 2
    enabled: true
    scopes: [topic.id]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: metric
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: metric
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
          dimensions: [
            {
              name: 'EventSubscriptionName'
              operator: 'Include'
              values: [subscriptionName]
            }
          ]
        }
      ]
    }
    actions: empty(actionGroupId)
      ? []
      : [
          {
            actionGroupId: actionGroupId
          }
        ]
  }
  dependsOn: [endpointEvents]
}]
