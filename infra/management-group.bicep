// For many subscriptions: the custom roles at a management group, and their assignments to the app on all that is below.
// Deployed by the platform team, at first without principalId, and again once infra/main.bicep has made the app's identity:
//   az deployment mg create --management-group-id NAME --location REGION --template-file infra/management-group.bicep
// docs/many-subscriptions.md. A template for a subscription cannot do this: it may not write to a management group.
targetScope = 'managementGroup'

@minLength(2)
@maxLength(20)
@description('Name of the installation: environmentName of main.bicep.')
param environmentName string
@description('Object id of the app\'s identity, the output AUTOPILOT_PRINCIPAL_ID of main.bicep; empty makes the roles only.')
param principalId string = ''
@description('Whether the app writes zones, links and records in these subscriptions; false where all zones are elsewhere, in the groups of dnsZoneResourceGroups.')
param zonesHere bool = true
@description('Whether the app may delete what it made; without, it reports what it leaves.')
param allowDelete bool = true

var roles = union(loadJsonContent('roles.json'), loadJsonContent('management-group-roles.json'))
var unused = concat(zonesHere ? [] : ['dnsWriter', 'dnsRemover'], allowDelete ? [] : ['dnsRemover'])
var made = filter(objectKeys(roles), role => !contains(unused, role))

// A custom role with a management group may name no other place. Its name must be its own in the tenant.
resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in made: {
  name: guid(managementGroup().id, environmentName, role)
  properties: {
    roleName: 'Private Link Autopilot ${roles[role].title} (${environmentName} ${managementGroup().name})'
    description: roles[role].description
    type: 'customRole'
    assignableScopes: [managementGroup().id]
    permissions: [
      {
        actions: objectKeys(roles[role].actions)
        notActions: []
      }
    ]
  }
}]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (role, i) in made: if (!empty(principalId)) {
  name: guid(managementGroup().id, principalId, role)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[i].id
  }
}]

@description('For roleIds of main.bicep, where the places that it assigns roles at are below this management group too.')
output ROLE_IDS string = join(map(filter(made, role => role != 'groupReader'), role => '${role}=${guid(managementGroup().id, environmentName, role)}'), ',')
