// The custom roles, from roles.json. A custom role belongs to the tenant and may be assigned in the listed places.
targetScope = 'subscription'

@description('Name of the environment; part of the roles\' names, which are unique in a tenant.')
param environmentName string
@description('Ids of the subscriptions in which the roles are assigned.')
param subscriptionIds string[]
@description('Whether there is a role that deletes; without it the app reports what it leaves.')
param allowDelete bool

var roles = loadJsonContent('../roles.json')
var removerName = guid(subscription().id, environmentName, 'dnsRemover')
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

resource networkReader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'networkReader')
  properties: {
    roleName: 'Private Link Autopilot ${roles.networkReader.title} (${environmentName})'
    description: roles.networkReader.description
    type: 'customRole'
    assignableScopes: assignable
    permissions: [
      {
        actions: objectKeys(roles.networkReader.actions)
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

resource remover 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (allowDelete) {
  name: removerName
  properties: {
    roleName: 'Private Link Autopilot ${roles.dnsRemover.title} (${environmentName})'
    description: roles.dnsRemover.description
    type: 'customRole'
    assignableScopes: assignable
    permissions: [
      {
        actions: objectKeys(roles.dnsRemover.actions)
        notActions: []
      }
    ]
  }
}

output readerName string = reader.name
output networkReaderName string = networkReader.name
output writerName string = writer.name
output removerName string = removerName
