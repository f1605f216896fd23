// The two custom roles, from roles.json. A custom role belongs to the tenant and may be assigned in the listed places.
targetScope = 'subscription'

@description('Name of the environment; part of the roles\' names, which are unique in a tenant.')
param environmentName string
@description('Ids of the subscriptions in which the roles are assigned.')
param subscriptionIds string[]

var roles = loadJsonContent('../roles.json')
var assignable = map(subscriptionIds, id => '/subscriptions/${id}')

resource reader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'endpointReader')
  properties: {
    roleName: 'Private Link Autopilot ${roles.endpointReader.title} (${environmentName})'
    description: roles.endpointReader.description
    type: 'customRole'
    assignableScopes: assignable
    permissions: [
      {
        actions: objectKeys(roles.endpointReader.actions)
        notActions: []
      }
    ]
  }
}

resource writer 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'dnsWriter')
  properties: {
    roleName: 'Private Link Autopilot ${roles.dnsWriter.title} (${environmentName})'
    description: roles.dnsWriter.description
    type: 'customRole'
    assignableScopes: assignable
    permissions: [
      {
        actions: objectKeys(roles.dnsWriter.actions)
        notActions: []
      }
    ]
  }
}

output readerName string = reader.name
output writerName string = writer.name
