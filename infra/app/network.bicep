// The app's own network, made when no existing subnet is given: one subnet for the app, one for private endpoints.

@description('Name of the network.')
param name string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Address range; two /26 subnets are cut from it. Must not overlap with the networks it is peered with.')
param addressPrefix string

// From API version 2025-07-01 on, a new subnet has no way to the internet unless it asks for one (defaultOutboundAccess).
resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

output appSubnetId string = network::app.id
output endpointSubnetId string = network::endpoints.id
