// Events of every watched subscription, and of others that hold zones and have a topic. Deployed by main.bicep for delivery to the queue, and by the hook postdeploy
// for delivery to the function, because Azure refuses a function that is not there yet.
targetScope = 'subscription'

@description('Name of the environment.')
param environmentName string
@description('Azure region of the resource groups that hold the topics.')
param location string
@description('Tags of all resources besides those of the installation, each as name=value, separated by commas.')
param resourceTags string = ''
@description('Ids of the watched subscriptions, separated by commas; empty for this one, or for none with existingSystemTopics.')
param watchedSubscriptions string = ''
@description('Resource ids of system topics that exist already, of watched subscriptions and of others that hold zones, separated by commas.')
param existingSystemTopics string = ''
@description('How events reach the app.')
@allowed(['queue', 'function'])
param eventDelivery string = 'queue'
@description('Resource id of the function app.')
param functionAppId string
@description('Resource id of the storage account.')
param storageId string
@description('Resource id of the identity with which topics deliver; SystemAssigned for each topic\'s own; empty for none.')
param topicIdentityId string = ''
@description('Resource id of the action group for alerts; empty for none.')
param actionGroupId string = ''
@description('Whether roles are assigned here; else they are only told.')
param assignRoles bool = true

var given = map(filter(split(watchedSubscriptions, ','), id => !empty(trim(id))), id => toLower(trim(id)))
var all = empty(given) && empty(topicIds) ? [subscription().subscriptionId] : union(given, [])
// Azure takes 800 resources in one template, and works out beforehand what becomes of 500.
var watched = length(all) > 200 ? fail('watchedSubscriptions has ${length(all)} subscriptions, and one deployment makes topics for 200: split them, as scripts/topics.sh does.') : all
var givenTags = map(filter(split(resourceTags, ','), entry => !empty(trim(entry))), entry => split(trim(entry), '='))
var tags = union(toObject(givenTags, one => trim(one[0]), one => trim(join(skip(one, 1), '='))), {
  'azd-env-name': environmentName
  'private-link-autopilot-version': trim(loadTextContent('../version.txt'))
  'private-link-autopilot-home': toLower(split(storageId, '/')[2]) // two installations of one name are two
})
var topicIds = map(filter(split(existingSystemTopics, ','), id => !empty(trim(id))), id => trim(id))
// Another team's topic where nothing is watched tells what others change in zones there, such as a hub's.
var elsewhere = map(filter(topicIds, topicId => !contains(watched, toLower(split(topicId, '/')[2]))), topicId => toLower(split(topicId, '/')[2]))
var places = union(watched, elsewhere)

module topic 'app/topic.bicep' = [for id in places: {
  scope: subscription(id)
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    existingTopicId: first(filter(topicIds, topicId => toLower(split(topicId, '/')[2]) == id)) ?? ''
    eventDelivery: eventDelivery
    functionAppId: functionAppId
    storageId: storageId
    topicIdentityId: topicIdentityId
    actionGroupId: actionGroupId
    assignRoles: assignRoles
  }
}]

// A list for each topic: what to assign where they deliver with identities of their own.
output AUTOPILOT_ROLES array = [for (id, i) in places: topic[i].outputs.roles]
