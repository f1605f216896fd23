// Private Link Autopilot for Elastic Cloud on Azure: everything it needs, with the least rights. docs/deploy.md.
targetScope = 'subscription'

// -- what is asked -------------------------------------------------------------------------------------------------

@minLength(2)
@maxLength(20)
@description('Name of this installation; part of all resource names. Letters, digits, hyphens.')
param environmentName string
@description('Azure region of the app.')
param location string
@secure()
@description('Elastic Cloud API key. Empty leaves the one in the vault as it is; docs/deploy.md shows how to store it there by hand.')
param ecApiKey string = ''
@description('Further Elastic Cloud organizations, separated by semicolons, each name=scope: the entries of ELASTIC_SCOPE_NAME, separated by commas. The key of each is in the vault, as elastic-api-key-name.')
param organizations string = ''
@description('Whether there is an organization, that of the key elastic-api-key, for the endpoints that no scope includes; false only with further organizations.')
param defaultOrganization bool = true

// -- what is watched, and what may be done -------------------------------------------------------------------------

@description('Ids of the subscriptions whose private endpoints the app handles, separated by commas; empty for this one.')
param azureSubscriptions string = ''
@description('Resource groups whose endpoints the app handles, each as name or subscription-id/name, separated by commas; * for all.')
param azureResourceGroups string = '*'
@description('Azure locations whose endpoints the app handles, separated by commas; * for all.')
param azureLocations string = '*'
@description('Tags of which an endpoint needs one to be handled, each as name or name=value, separated by commas; * for none.')
param azureTags string = '*'
@description('Resource groups whose endpoints the app leaves alone. A denial is stronger than every permission.')
param azureResourceGroupsDenied string = ''
@description('Azure locations whose endpoints the app leaves alone.')
param azureLocationsDenied string = ''
@description('Tags of which one is enough for an endpoint to be left alone.')
param azureTagsDenied string = ''
@description('Ids or names of deployments that nothing is ever connected to, separated by commas.')
param elasticDeploymentsDenied string = ''
@description('enforce, or observe: read, plan, test and report, and change nothing in Azure or Elastic Cloud.')
@allowed(['enforce', 'observe'])
param mode string = 'enforce'
@description('Ids or names of the deployments that endpoints may ask for, separated by commas; * for all.')
param elasticDeploymentsAllowed string = ''
@description('Ids or names of the deployments that may get their first policy, which closes them to all else; * for all.')
param elasticFirstPolicyAllowed string = ''
@description('Ids or names of the deployments whose last policy may be taken away, which opens them to the internet; * for all.')
param elasticLastPolicyAllowed string = ''
@description('What becomes of what was made for an endpoint that is deleted: cleanup removes it, retain leaves it.')
@allowed(['cleanup', 'retain'])
param onDelete string = 'cleanup'
@description('Seconds between the decision that an endpoint is gone and the removal; an endpoint made again ends it.')
@minValue(0)
@maxValue(604800)
param removalGraceSeconds int = 600
@description('Connections that may stand for removal at once; with more all removals stop until a person confirms. Empty: the larger of 10 and 5 % of those on record.')
param removalLimit string = ''
@description('How often within seven days the app restores an association that another manager removes.')
@minValue(0)
param associationRestores int = 3
@description('Whether endpoints are claimed for the Elastic Cloud organization, so that no other one can use them in a policy.')
param elasticClaim bool = false
@description('Ids of the resource groups for new private DNS zones, separated by commas; empty for each endpoint\'s own.')
param dnsZoneResourceGroups string = ''
@description('Ids of further resource groups or subscriptions with DNS zones that the app may write to, separated by commas.')
param dnsScopes string = ''
@description('Whether the app may delete the records, links and zones that it made for endpoints that are gone; without, it reports what it leaves.')
param allowDelete bool = true
@description('Ids of further subscriptions to look in for zones, separated by commas.')
param dnsSubscriptions string = ''
@description('Ids of further networks to link zones to, separated by commas, such as a hub with the DNS resolver. The app\'s own network is linked only if it is among them: docs/networks.md.')
param dnsLinkVnets string = ''
@description('Address of a released package that is deployed as the code; empty leaves the code to azd. The template of a release has its own package here.')
param packageUrl string = ''
@description('Further app settings by name, as in docs/settings.md.')
param appSettings object = {}

// -- events --------------------------------------------------------------------------------------------------------

@description('How events reach the app: function (Event Grid trigger), or queue (straight to the work queue, for an app without public access).')
@allowed(['function', 'queue'])
param eventDelivery string = 'function'
@description('Resource ids of system topics that exist already for watched subscriptions, separated by commas; Azure allows one per subscription.')
param existingSystemTopics string = ''
@description('Whether topics deliver with an identity of their own. Needed for queue delivery and for dead letters.')
param topicIdentityEnabled bool = true

@description('Resource id of the custom topic for notifications, with the input schema CloudEvents 1.0; empty for none.')
param notificationTopicId string = ''

// -- network -------------------------------------------------------------------------------------------------------

@description('Id of an existing subnet for the app, delegated to Microsoft.App/environments; empty makes a network.')
param appSubnetId string = ''
@description('Id of an existing subnet for private endpoints; needed with appSubnetId and privateAccess.')
param endpointSubnetId string = ''
@description('Address range of the network that is made, /25 or larger.')
param networkAddressPrefix string = '10.250.0.0/24'
@description('Whether storage, vault and (with queue delivery) the app are reached over private endpoints only.')
param privateAccess bool = false
@description('Whether to make the DNS zones of these private endpoints; false where a central policy adds the records.')
param privateAccessZones bool = true

// -- size, watching ------------------------------------------------------------------------------------------------

@description('Redundancy of the storage account; zones are not in every region. All that is lost with it is the journal.')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param storageRedundancy string = 'Standard_LRS'
@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMb int = 2048
@description('Instances at most, of the app or of each function group: Microsoft\'s texts disagree.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40
@description('Mail address for alerts; empty for none.')
param alertEmail string = ''
@description('Resource id of an existing action group for alerts, instead of alertEmail.')
param actionGroupId string = ''
@description('Window in which at least one sweep must have succeeded.')
@allowed(['PT15M', 'PT30M', 'PT1H', 'PT2H'])
param sweepWindow string = 'PT30M'
@description('Days that logs are kept.')
param logRetentionDays int = 30
@description('Gigabytes of logs a day after which no more are taken; -1 for no limit.')
param logDailyLimitGb int = 5

// -- names and scopes ----------------------------------------------------------------------------------------------

var abbreviations = loadJsonContent('abbreviations.json')
var names = loadJsonContent('names.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
  'private-link-autopilot-version': trim(loadTextContent('../version.txt'))
}
var furtherOrganizations = map(filter(split(organizations, ';'), entry => !empty(trim(entry))), entry => {
  name: trim(split(entry, '=')[0])
  scope: trim(substring(entry, indexOf(entry, '=') + 1))
})
var here = subscription().subscriptionId
var givenSubscriptions = map(filter(split(azureSubscriptions, ','), id => !empty(trim(id))), id => toLower(trim(id)))
var watched = empty(givenSubscriptions) ? [here] : union(givenSubscriptions, [])
var furtherDns = map(filter(split(dnsSubscriptions, ','), id => !empty(trim(id))), id => toLower(trim(id)))
var zoneGroups = map(filter(split(dnsZoneResourceGroups, ','), id => !empty(trim(id))), id => toLower(trim(id)))
var zoneHomes = map(zoneGroups, id => split(id, '/')[2])
var readSubscriptions = union(watched, furtherDns, zoneHomes)

// Where zones may be written: where they are made, and where the deployer says there are some already. In lower case: one
// place written in two ways, now or at the next deployment, would be given the same role twice, which Azure refuses.
var madeIn = empty(zoneGroups) ? map(watched, id => '/subscriptions/${id}') : zoneGroups
var givenScopes = map(filter(split(dnsScopes, ','), scope => !empty(trim(scope))), scope => toLower(trim(scope)))
var writeScopes = union(madeIn, givenScopes)

var appNetworkId = empty(appSubnetId) ? '${group.id}/providers/Microsoft.Network/virtualNetworks/${networkName}' : split(appSubnetId, '/subnets/')[0]
var networkName = '${abbreviations.virtualNetworks}${environmentName}'
var givenNetworks = map(filter(split(dnsLinkVnets, ','), id => !empty(trim(id))), id => trim(id))
var linkedNetworks = union(map(givenNetworks, id => toLower(id)), [])

// Azure works out where a module goes before it looks whether the module is left out: there must always be a place.
var notificationPath = split(toLower(empty(notificationTopicId) ? group.id : notificationTopicId), '/')

// -- resources -----------------------------------------------------------------------------------------------------

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: '${abbreviations.resourceGroups}${environmentName}'
  location: location
  tags: tags
}

module identity 'app/identity.bicep' = {
  scope: group
  params: {
    appIdentityName: '${abbreviations.identities}${environmentName}-app-${token}'
    storageFirewall: privateAccess
    topicIdentityName: '${abbreviations.identities}${environmentName}-events-${token}'
    location: location
    tags: tags
  }
}

module storage 'app/storage.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.storageAccounts}${token}'
    location: location
    tags: tags
    privateAccess: privateAccess
    eventGridWrites: topicIdentityEnabled || eventDelivery == 'queue'
    redundancy: storageRedundancy
  }
}

module storageRoles 'app/storage-roles.bicep' = {
  scope: group
  params: {
    storageName: storage.outputs.name
    appPrincipalId: identity.outputs.appPrincipalId
    topicPrincipalId: identity.outputs.topicPrincipalId
    queueDelivery: eventDelivery == 'queue' && !privateAccess
    deadLetters: (topicIdentityEnabled || eventDelivery == 'queue') && !privateAccess
  }
}

module vault 'app/vault.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.keyVaults}${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.appPrincipalId
    privateAccess: privateAccess
    ecApiKey: ecApiKey
  }
}

module monitoring 'app/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: '${abbreviations.workspaces}${environmentName}-${token}'
    insightsName: '${abbreviations.insights}${environmentName}-${token}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyLimitGb: logDailyLimitGb
    appPrincipalId: identity.outputs.appPrincipalId
  }
}

module alerts 'app/alerts.bicep' = {
  scope: group
  params: {
    namePrefix: environmentName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    alertEmail: alertEmail
    actionGroupId: actionGroupId
    sweepWindow: sweepWindow
  }
}

module notifications 'app/notification-topic.bicep' = if (!empty(notificationTopicId)) {
  scope: resourceGroup(notificationPath[2], notificationPath[4])
  params: {
    topicName: last(notificationPath)
    appPrincipalId: identity.outputs.appPrincipalId
  }
}

module network 'app/network.bicep' = if (empty(appSubnetId)) {
  scope: group
  params: {
    name: networkName
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
  }
}

module app 'app/function.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.functionApps}${environmentName}-${token}'
    planName: '${abbreviations.plans}${environmentName}-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.appId
    identityClientId: identity.outputs.appClientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    insightsConnection: monitoring.outputs.connectionString
    vaultUri: vault.outputs.uri
    organizations: furtherOrganizations
    defaultOrganization: defaultOrganization
    subnetId: network.?outputs.appSubnetId ?? appSubnetId
    publicAccess: !(privateAccess && eventDelivery == 'queue')
    instanceMemoryMB: instanceMemoryMb
    maximumInstanceCount: maximumInstanceCount
    settings: union(
      {
        AZURE_SUBSCRIPTIONS: join(watched, ',')
        AZURE_RESOURCE_GROUPS: azureResourceGroups
        AZURE_RESOURCE_GROUPS_DENIED: azureResourceGroupsDenied
        AZURE_LOCATIONS: azureLocations
        AZURE_LOCATIONS_DENIED: azureLocationsDenied
        AZURE_TAGS: azureTags
        AZURE_TAGS_DENIED: azureTagsDenied
        MODE: mode
        ELASTIC_DEPLOYMENTS_ALLOWED: elasticDeploymentsAllowed
        ELASTIC_DEPLOYMENTS_DENIED: elasticDeploymentsDenied
        ELASTIC_FIRST_POLICY_ALLOWED: elasticFirstPolicyAllowed
        ELASTIC_LAST_POLICY_ALLOWED: elasticLastPolicyAllowed
        ELASTIC_CLAIM: elasticClaim ? 'true' : 'false'
        ON_DELETE: onDelete
        REMOVAL_GRACE_SECONDS: string(removalGraceSeconds)
        REMOVAL_LIMIT: removalLimit
        ASSOCIATION_RESTORES: string(associationRestores)
        INSTANCE_ID: environmentName
        DNS_ZONE_RESOURCE_GROUPS: dnsZoneResourceGroups
        DNS_SUBSCRIPTIONS: dnsSubscriptions
        DNS_LINK_VNETS: join(givenNetworks, ',')
        NOTIFY_TOPIC_ENDPOINT: notifications.?outputs.endpoint ?? ''
        APP_VNET: appNetworkId
      },
      appSettings
    )
  }
  // The host reads its storage and its key reference when it starts: the rights and the way there come first.
  dependsOn: [storageRoles, dataEndpoints]
}

module dataEndpoints 'app/private-endpoints.bicep' = if (privateAccess) {
  scope: group
  params: {
    namePrefix: '${abbreviations.privateEndpoints}${environmentName}-'
    location: location
    tags: tags
    subnetId: network.?outputs.endpointSubnetId ?? endpointSubnetId
    networkId: appNetworkId
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    createZones: privateAccessZones
  }
}

module siteEndpoint 'app/private-endpoints.bicep' = if (privateAccess && eventDelivery == 'queue') {
  scope: group
  params: {
    namePrefix: '${abbreviations.privateEndpoints}${environmentName}-'
    location: location
    tags: tags
    subnetId: network.?outputs.endpointSubnetId ?? endpointSubnetId
    networkId: appNetworkId
    siteId: app.outputs.id
    createZones: privateAccessZones
  }
}

// -- rights in Azure -----------------------------------------------------------------------------------------------

module rights 'app/rights.bicep' = {
  params: {
    environmentName: environmentName
    principalId: identity.outputs.appPrincipalId
    readSubscriptions: readSubscriptions
    writeScopes: writeScopes
    linkedNetworks: linkedNetworks
    appNetwork: toLower(appNetworkId)
    allowDelete: allowDelete
  }
  dependsOn: [network]
}

// -- events --------------------------------------------------------------------------------------------------------

// For delivery to the function, the hook postdeploy does the same once the code is there.
module events 'events.bicep' = if (eventDelivery == 'queue') {
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    watchedSubscriptions: azureSubscriptions
    existingSystemTopics: existingSystemTopics
    eventDelivery: eventDelivery
    functionAppId: app.outputs.id
    storageId: storage.outputs.id
    topicIdentityId: identity.outputs.topicDelivers
    actionGroupId: alerts.outputs.actionGroupId
  }
  dependsOn: [storageRoles]
}

// -- the code ------------------------------------------------------------------------------------------------------

// Last, so that all else is there if the upload is refused.
module package 'app/package.bicep' = if (!empty(packageUrl)) {
  scope: group
  params: {
    siteName: app.outputs.name
    packageUrl: packageUrl
  }
  dependsOn: [storageRoles, dataEndpoints, siteEndpoint, vault, rights, alerts, notifications, events]
}

// -- for azd, the hooks and the documentation ----------------------------------------------------------------------

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AUTOPILOT_APP_NAME string = app.outputs.name
output AUTOPILOT_APP_ID string = app.outputs.id
output AUTOPILOT_HOST_NAME string = app.outputs.hostName
output AUTOPILOT_STORAGE_ID string = storage.outputs.id
output AUTOPILOT_VAULT_NAME string = vault.outputs.name
output AUTOPILOT_KEY_NAME string = names.elasticKeySecret
output AUTOPILOT_IDENTITY_ID string = identity.outputs.appId
output AUTOPILOT_TOPIC_IDENTITY_ID string = topicIdentityEnabled ? identity.outputs.topicDelivers : ''
output AUTOPILOT_ACTION_GROUP_ID string = alerts.outputs.actionGroupId
output AUTOPILOT_EVENT_DELIVERY string = eventDelivery
output AUTOPILOT_WATCHED_SUBSCRIPTIONS string = join(watched, ',')
output AUTOPILOT_EXISTING_SYSTEM_TOPICS string = existingSystemTopics
