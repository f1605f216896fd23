// Private Link Autopilot for Elastic Cloud on Azure: everything it needs, with the least rights. docs/deploy.md.
targetScope = 'subscription'

// -- what is asked -------------------------------------------------------------------------------------------------
@minLength(2)
@maxLength(20)
@description('Name of this installation; part of all resource names. Letters, digits, hyphens.')
param environmentName string
@description('Azure region of the app, one of those with Flex Consumption.')
param location string
@description('Whether a region that regions.json does not list is taken all the same: one that has got Flex Consumption since.')
param anyLocation bool = false
@secure()
@description('Elastic Cloud API key. Empty leaves the one in the vault as it is; docs/installation.md shows how to store it there by hand.')
param ecApiKey string = ''
@description('Further Elastic Cloud organizations, separated by semicolons, each name=scope: the entries of ELASTIC_SCOPE_NAME, separated by commas. The key of each is in the vault, as elastic-api-key-name.')
param organizations string = ''
@description('Whether there is an organization, that of the key elastic-api-key, for the endpoints that no scope includes; false only with further organizations.')
param defaultOrganization bool = true

// -- what is watched, and what may be done -------------------------------------------------------------------------
@description('Ids of the subscriptions whose private endpoints the app handles, separated by commas, at most 200; empty for this one, or for none with azureManagementGroups.')
param azureSubscriptions string = ''
@description('Names of management groups: the app handles the endpoints of every subscription below them too. Their roles come with management-group.bicep, their topics with scripts/topics.sh.')
param azureManagementGroups string = ''
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
@description('Ids or names of deployments and projects that nothing is ever connected to, separated by commas.')
param elasticDeploymentsDenied string = ''
@description('enforce, or observe: read, plan, test and report, and change nothing in Azure or Elastic Cloud.')
@allowed(['enforce', 'observe'])
param mode string = 'enforce'
@description('Ids or names of the deployments and projects that endpoints may ask for, separated by commas; * for all.')
param elasticDeploymentsAllowed string = ''
@description('Ids or names of the deployments and projects that may get their first policy, which closes them to all else; * for all.')
param elasticFirstPolicyAllowed string = ''
@description('Ids or names of the deployments and projects whose last policy may be taken away, which opens them to the internet; * for all.')
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
@description('Tags of all that deployment and app make, 12 at most, each as name=value, separated by commas.')
param resourceTags string = ''
@description('Properties that policies ask for and a region may refuse, each left out by name=false in an object: docs/deploy-policies.md.')
param hardening object = {}
@description('Further app settings by name, as in docs/settings.md.')
param appSettings object = {}

// -- events --------------------------------------------------------------------------------------------------------
@description('How events reach the app: queue (straight to the work queue, where they wait while it starts), function (Event Grid trigger), or none (it looks by itself, every few minutes).')
@allowed(['queue', 'function', 'none'])
param eventDelivery string = 'queue'
@description('Resource ids of system topics that exist already, of watched subscriptions and of others that hold zones, separated by commas; Azure allows one per subscription.')
param existingSystemTopics string = ''
@description('Whether topics deliver with an identity of their own. Needed for queue delivery and for dead letters.')
param topicIdentityEnabled bool = true
@description('Resource id of the custom topic for notifications, with the input schema CloudEvents 1.0; empty for none.')
param notificationTopicId string = ''

// -- rights --------------------------------------------------------------------------------------------------------
@description('Whether the deployment assigns roles. Without, it needs no right to, and scripts/roles.sh tells what a platform team has to assign.')
param assignRoles bool = true
@description('Ids of custom roles that exist already, each as name=id with a name of roles.json, separated by commas; the others are made.')
param roleIds string = ''

// -- network -------------------------------------------------------------------------------------------------------
@description('Id of an existing subnet for the app, delegated to Microsoft.App/environments; empty makes a network.')
param appSubnetId string = ''
@description('Id of an existing subnet for private endpoints; needed with appSubnetId and privateAccess.')
param endpointSubnetId string = ''
@description('Address range of the network that is made, /25 or larger.')
param networkAddressPrefix string = '10.250.0.0/24'
@description('Addresses of DNS servers for the network that is made, separated by commas; empty for Azure\'s.')
param networkDnsServers string = ''
@description('Id of an existing security group for the network that is made; empty makes one with Azure\'s own rules.')
param networkSecurityGroupId string = ''
@description('Id of an existing route table for the network that is made; empty makes one without routes.')
param routeTableId string = ''
@description('Whether storage, vault and (but with delivery to the function) the app are reached over private endpoints only.')
param privateAccess bool = eventDelivery == 'none'
@description('Whether to make the DNS zones of these private endpoints and link them to their network; else a central policy adds the records.')
param privateAccessZones bool = empty(appSubnetId)
@description('Id of the resource group that holds these zones already, such as a hub\'s; then none is made.')
param privateAccessZoneGroup string = ''

// -- size, watching ------------------------------------------------------------------------------------------------
@description('Whether the app\'s instances and its storage are spread over the zones of the region; not every region has them.')
param zoneRedundancy bool = false
@description('Redundancy of the storage account without zoneRedundancy; zones are not in every region. All that is lost with it is the journal.')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param storageRedundancy string = 'Standard_LRS'
@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMb int = 2048
@description('Instances at most, of the app or of each function group: Microsoft\'s texts disagree. No bound of cost.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40
@description('Instances that are kept warm, each as group=count, separated by commas, such as function:reconcile=1,http=1; they cost.')
param alwaysReady string = ''
@description('Mail address for alerts; empty for none.')
param alertEmail string = ''
@description('Resource id of an existing action group for alerts, instead of alertEmail.')
param actionGroupId string = ''
@description('Window in which at least one sweep must have succeeded.')
@allowed(['PT15M', 'PT30M', 'PT1H', 'PT2H'])
param sweepWindow string = 'PT30M'
@description('Id of an existing Azure Monitor private link scope, through which alone logs are then written and read; empty for none.')
param privateLinkScopeId string = ''
@minValue(30)
@maxValue(730)
@description('Days that logs are kept. Up to 90 cost nothing.')
param logRetentionDays int = 90
@description('Gigabytes of logs a day after which no more are taken; -1 for no limit.')
param logDailyLimitGb int = 5

// -- names and scopes ----------------------------------------------------------------------------------------------
var abbreviations = loadJsonContent('abbreviations.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var givenTags = map(filter(split(resourceTags, ','), entry => !empty(trim(entry))), entry => split(trim(entry), '='))
var tags = union(toObject(givenTags, one => trim(one[0]), one => trim(join(skip(one, 1), '='))), {
  'azd-env-name': environmentName
  'private-link-autopilot-version': trim(loadTextContent('../version.txt'))
})
var givenSubscriptions = map(filter(split(azureSubscriptions, ','), id => !empty(trim(id))), id => toLower(trim(id)))
var watched = empty(givenSubscriptions) && empty(azureManagementGroups) ? [subscription().subscriptionId] : union(givenSubscriptions, [])
var appNetworkId = empty(appSubnetId) ? '${group.id}/providers/Microsoft.Network/virtualNetworks/${abbreviations.virtualNetworks}${environmentName}' : split(appSubnetId, '/subnets/')[0]
var givenNetworks = map(filter(split(dnsLinkVnets, ','), id => !empty(trim(id))), id => trim(id))
var notificationPath = split(toLower(empty(notificationTopicId) ? group.id : notificationTopicId), '/') // also of a module that is left out Azure works out the place
// Behind a storage firewall only a topic's own identity gets through.
var topicsIdentity = eventDelivery == 'none' || !topicIdentityEnabled ? 'None' : privateAccess ? 'Own' : 'Shared'
var endpoints = {
  namePrefix: '${abbreviations.privateEndpoints}${environmentName}-'
  subnetId: network.?outputs.endpointSubnetId ?? endpointSubnetId
  networkId: appNetworkId
  createZones: privateAccessZones
  zoneGroupId: privateAccessZoneGroup
}
var parts = loadJsonContent('hardening.json')
var hardened = union(toObject(parts, part => part, part => true), hardening) // every part is set, but those that are left out
var unknownParts = filter(objectKeys(hardening), part => !contains(parts, part))
var roles = objectKeys(loadJsonContent('roles.json'))
var unknownRoles = filter(split(roleIds, ','), entry => !empty(trim(entry)) && !contains(roles, trim(split(entry, '=')[0])))
var warm = map(filter(split(alwaysReady, ','), entry => contains(entry, '=')), entry => int(trim(last(split(entry, '=')))))
var mistakes = concat(
  endsWith(environmentName, '-') || !empty(filter(range(0, length(environmentName)), at => !contains('abcdefghijklmnopqrstuvwxyz0123456789-', toLower(substring(environmentName, at, 1))))) ? ['environmentName takes letters, digits and hyphens, and no hyphen at its end, and is ${environmentName}: with azd, azd env new NAME makes another.'] : [],
  eventDelivery == 'queue' && !topicIdentityEnabled ? ['eventDelivery=queue delivers with an identity: set topicIdentityEnabled=true, or eventDelivery=function.'] : [],
  privateAccess && !empty(appSubnetId) && empty(endpointSubnetId) ? ['privateAccess, which eventDelivery=none sets, with appSubnetId needs a subnet for private endpoints: set endpointSubnetId, or privateAccess=false.'] : [],
  !empty(endpointSubnetId) && empty(appSubnetId) ? ['endpointSubnetId is of a network of yours: set appSubnetId too, or leave both out.'] : [],
  !empty(appSubnetId) && !empty('${networkSecurityGroupId}${routeTableId}${networkDnsServers}') ? ['appSubnetId leaves your network as it is: set networkSecurityGroupId, routeTableId and networkDnsServers there, and leave them out here.'] : [],
  !empty(filter([appSubnetId, endpointSubnetId], id => !empty(id) && length(split(id, '/')) != 11)) ? ['appSubnetId and endpointSubnetId take whole ids of subnets.'] : [],
  !empty(filter([endpointSubnetId, networkSecurityGroupId, routeTableId], id => !empty(id) && !startsWith(toLower(id), toLower('${subscription().id}/resourceGroups/')))) ? ['endpointSubnetId, networkSecurityGroupId and routeTableId take whole ids in the subscription that is deployed to (${subscription().subscriptionId}): Azure makes a private endpoint only in the subscription of its network.'] : [],
  contains(last(split(appSubnetId, '/')), '_') ? ['appSubnetId names a subnet with an underscore, which Flex Consumption does not take: give it another name.'] : [],
  !empty(appSubnetId) && toLower(appSubnetId) == toLower(endpointSubnetId) ? ['appSubnetId and endpointSubnetId are the same: the delegated subnet of the app takes no private endpoints.'] : [],
  !empty(filter(split(alwaysReady, ','), entry => !empty(trim(entry)) && !contains(entry, '='))) ? ['alwaysReady takes group=number, separated by commas.'] : [],
  !empty(filter([privateLinkScopeId, actionGroupId, notificationTopicId, empty(privateAccessZoneGroup) ? '' : '${privateAccessZoneGroup}/providers/a/b/c'], id => !empty(id) && length(split(id, '/')) != 9)) ? ['privateLinkScopeId, actionGroupId, notificationTopicId and privateAccessZoneGroup take whole ids.'] : [],
  !empty(filter(split('${existingSystemTopics},${dnsLinkVnets},${dnsZoneResourceGroups},${dnsScopes}', ','), id => !empty(trim(id)) && !startsWith(toLower(trim(id)), '/subscriptions/'))) ? ['existingSystemTopics, dnsLinkVnets, dnsZoneResourceGroups and dnsScopes take whole ids, which begin with /subscriptions/, and no names.'] : [],
  !empty(filter(concat(givenSubscriptions, split(dnsSubscriptions, ',')), id => !empty(trim(id)) && length(trim(id)) != 36)) ? ['azureSubscriptions and dnsSubscriptions take ids of subscriptions, and no names.'] : [],
  empty(appSubnetId) && int(last(split(networkAddressPrefix, '/'))) > 25 ? ['networkAddressPrefix must be /25 or larger: two /26 subnets are cut from it.'] : [],
  zoneRedundancy && contains(warm, 1) ? ['zoneRedundancy keeps two instances or none of a group warm: set each number of alwaysReady to 0, or to 2 or more.'] : [],
  length(givenTags) > 12 ? ['resourceTags takes 12 tags at most, each as name=value: a zone has room for no more beside the app\'s own.'] : [],
  max(concat(warm, [0])) > maximumInstanceCount ? ['alwaysReady keeps more instances warm than maximumInstanceCount=${string(maximumInstanceCount)} allows.'] : [],
  !defaultOrganization && empty(trim(organizations)) ? ['defaultOrganization=false leaves no Elastic Cloud organization: name one in organizations.'] : [],
  !anyLocation && !contains(loadJsonContent('regions.json'), toLower(replace(location, ' ', ''))) ? ['${location} is not known to have Flex Consumption; az functionapp list-flexconsumption-locations tells which have. If it is among them, set anyLocation=true.'] : [],
  length(watched) > 200 ? ['azureSubscriptions has ${length(watched)} subscriptions, and one deployment serves 200: split them, the others below a management group that azureManagementGroups names, with topics by scripts/topics.sh.'] : [],
  !empty(unknownParts) ? ['hardening takes ${join(parts, ', ')}, and not ${join(unknownParts, ', ')}.'] : [],
  !empty(unknownRoles) ? ['roleIds takes ${join(roles, ', ')}, each as name=id, and not ${join(unknownRoles, ', ')}.'] : []
)

// -- resources -----------------------------------------------------------------------------------------------------
resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: empty(mistakes) ? '${abbreviations.resourceGroups}${environmentName}' : fail(join(mistakes, ' ')) // before anything is made: all else is in this group
  location: location
  tags: tags
}

module identities 'app/identities.bicep' = {
  scope: group
  params: {
    appIdentityName: '${abbreviations.identities}${environmentName}-app-${token}'
    topicIdentityName: '${abbreviations.identities}${environmentName}-events-${token}'
    topicsIdentity: topicsIdentity
    location: location
    tags: tags
  }
}

module monitoring 'app/monitoring.bicep' = {
  scope: group
  params: {
    environmentName: environmentName
    workspaceName: '${abbreviations.workspaces}${environmentName}-${token}'
    insightsName: '${abbreviations.insights}${environmentName}-${token}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyLimitGb: logDailyLimitGb
    privateLinkScopeId: privateLinkScopeId
    hardening: hardened
    alertEmail: alertEmail
    actionGroupId: actionGroupId
    sweepWindow: sweepWindow
    appPrincipalId: identities.outputs.appPrincipalId
    assignRoles: assignRoles
  }
}

module notifications 'app/notification-topic.bicep' = if (!empty(notificationTopicId)) {
  scope: resourceGroup(notificationPath[2], notificationPath[4])
  params: { topicName: last(notificationPath), appPrincipalId: identities.outputs.appPrincipalId, assignRoles: assignRoles }
}

module network 'app/network.bicep' = if (empty(appSubnetId)) {
  scope: group
  params: {
    name: last(split(appNetworkId, '/'))
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    dnsServers: map(filter(split(networkDnsServers, ','), one => !empty(trim(one))), one => trim(one))
    securityGroupId: networkSecurityGroupId
    routeTableId: routeTableId
    hardening: hardened
  }
}

module data 'app/data.bicep' = {
  scope: group
  params: {
    storageName: '${abbreviations.storageAccounts}${token}'
    vaultName: '${abbreviations.keyVaults}${token}'
    location: location
    tags: tags
    privateAccess: privateAccess
    endpoints: endpoints
    redundancy: zoneRedundancy ? 'Standard_ZRS' : storageRedundancy
    topicsIdentity: topicsIdentity
    queueDelivery: eventDelivery == 'queue'
    appPrincipalId: identities.outputs.appPrincipalId
    topicPrincipalId: identities.outputs.topicPrincipalId
    assignRoles: assignRoles
    workspaceId: monitoring.outputs.workspaceId
    hardening: hardened
    ecApiKey: ecApiKey
  }
}

// Once the data is there, and can be reached: the host reads its storage when it starts.
module app 'app/function.bicep' = {
  scope: group
  params: {
    name: '${abbreviations.functionApps}${environmentName}-${token}'
    planName: '${abbreviations.plans}${environmentName}-${token}'
    location: location
    tags: tags
    identityId: identities.outputs.appId
    identityClientId: identities.outputs.appClientId
    storage: data.outputs.storage
    insightsConnection: monitoring.outputs.connectionString
    vaultUri: data.outputs.vaultUri
    organizations: organizations
    defaultOrganization: defaultOrganization
    subnetId: network.?outputs.appSubnetId ?? appSubnetId
    closed: privateAccess && eventDelivery != 'function'
    endpoints: endpoints
    instanceMemoryMB: instanceMemoryMb
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    zoneRedundancy: zoneRedundancy
    hardening: hardened
    settings: union({
      AZURE_SUBSCRIPTIONS: join(watched, ',')
      AZURE_MANAGEMENT_GROUPS: azureManagementGroups
      EVENT_SUBSCRIPTION: eventDelivery == 'none' ? '' : 'privatelink-${environmentName}'
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
      ALLOW_DELETE: allowDelete ? 'true' : 'false'
      REMOVAL_GRACE_SECONDS: string(removalGraceSeconds)
      REMOVAL_LIMIT: removalLimit
      ASSOCIATION_RESTORES: string(associationRestores)
      INSTANCE_ID: '${environmentName}-${token}' // two installations of one name are two
      DNS_ZONE_RESOURCE_GROUPS: dnsZoneResourceGroups
      DNS_SUBSCRIPTIONS: dnsSubscriptions
      DNS_LINK_VNETS: join(givenNetworks, ',')
      RESOURCE_TAGS: resourceTags
      NOTIFICATION_TOPIC_ID: notificationTopicId
      TELEMETRY_ID: monitoring.outputs.insightsId
      NOTIFY_TOPIC_ENDPOINT: notifications.?outputs.endpoint ?? ''
      APP_VNET: appNetworkId
    }, appSettings)
  }
}

// -- rights in Azure -----------------------------------------------------------------------------------------------
module rights 'app/rights.bicep' = {
  params: {
    environmentName: environmentName
    uniquePart: token
    principalId: identities.outputs.appPrincipalId
    watched: watched
    dnsSubscriptions: dnsSubscriptions
    dnsZoneResourceGroups: dnsZoneResourceGroups
    dnsScopes: dnsScopes
    linkedNetworks: givenNetworks
    appNetwork: appNetworkId
    allowDelete: allowDelete
    roleIds: roleIds
    assignRoles: assignRoles
  }
  dependsOn: [network]
}
module told 'app/roles-told.bicep' = {
  params: { roles: concat(data.outputs.roles, monitoring.outputs.roles, rights.outputs.roles, notifications.?outputs.roles ?? [], flatten(events.?outputs.AUTOPILOT_ROLES ?? [])) }
}

// -- events --------------------------------------------------------------------------------------------------------
module events 'events.bicep' = if (eventDelivery == 'queue' && !(empty(watched) && empty(existingSystemTopics))) { // for the function, the hook postdeploy does it once the code is there
  params: {
    environmentName: environmentName
    location: location
    resourceTags: resourceTags
    watchedSubscriptions: join(watched, ',')
    existingSystemTopics: existingSystemTopics
    eventDelivery: 'queue'
    functionAppId: app.outputs.id
    storageId: data.outputs.storageId
    topicIdentityId: identities.outputs.topicDelivers
    actionGroupId: monitoring.outputs.actionGroupId
    assignRoles: assignRoles
  }
}

// -- the code: last, so that all else is there if the upload is refused; the error then has the module's name in it -
module package 'app/package.bicep' = if (!empty(packageUrl)) {
  name: 'if-refused-run-the-same-az-deployment-sub-create-once-more'
  scope: group
  params: { siteName: app.outputs.name, packageUrl: packageUrl }
  dependsOn: [rights, told, notifications, events]
}

// -- for azd, the hooks and the documentation ----------------------------------------------------------------------
output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AUTOPILOT_APP_NAME string = app.outputs.name
output AUTOPILOT_APP_ID string = app.outputs.id
output AUTOPILOT_HOST_NAME string = app.outputs.hostName
output AUTOPILOT_PRINCIPAL_ID string = identities.outputs.appPrincipalId
output AUTOPILOT_STORAGE_ID string = data.outputs.storageId
output AUTOPILOT_VAULT_NAME string = data.outputs.vaultName
output AUTOPILOT_TOPIC_IDENTITY_ID string = identities.outputs.topicDelivers
output AUTOPILOT_ACTION_GROUP_ID string = monitoring.outputs.actionGroupId
output AUTOPILOT_EVENT_DELIVERY string = eventDelivery
output AUTOPILOT_NETWORK_ID string = appNetworkId
output AUTOPILOT_EXISTING_SYSTEM_TOPICS string = existingSystemTopics
output AUTOPILOT_TOKEN string = token
output AUTOPILOT_ROLES array = told.outputs.roles // what is assigned; without assignRoles, what a platform team has to assign
