// The app's own network, made when no existing subnet is given: one subnet for the app, one for private endpoints. Each
// deployment writes it anew: what others would add to it by hand or by a policy is given by parameters.

@description('Name of the network.')
param name string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Address range; two /26 subnets are cut from it. Must not overlap with the networks it is peered with.')
param addressPrefix string
@description('Addresses of the network\'s DNS servers; none for Azure\'s.')
param dnsServers string[]
@description('Id of an existing security group for both subnets; empty makes one with Azure\'s own rules.')
param securityGroupId string
@description('Id of an existing route table for both subnets; empty makes one without routes.')
param routeTableId string
@description('By the names of hardening.json, whether each of its parts is set.')
param hardening object

var abbreviations = loadJsonContent('../abbreviations.json')
var baseName = replace(name, abbreviations.virtualNetworks, '')
// Said on every subnet, because what Azure does unsaid depends on the API's version. Azure's way out is not for subnets
// that are delegated, as the app's is; it goes out all the same, without NAT: docs/deploy-policies.md.
var guarded = {
  networkSecurityGroup: {
    id: empty(securityGroupId) ? securityGroup.id : securityGroupId
  }
  routeTable: {
    id: empty(routeTableId) ? routeTable.id : routeTableId
  }
  privateEndpointNetworkPolicies: 'Enabled'
  defaultOutboundAccess: !hardening.privateSubnets
}

resource securityGroup 'Microsoft.Network/networkSecurityGroups@2025-09-01' = if (empty(securityGroupId)) {
  name: '${abbreviations.networkSecurityGroups}${baseName}'
  location: location
  tags: tags
}

resource routeTable 'Microsoft.Network/routeTables@2025-09-01' = if (empty(routeTableId)) {
  name: '${abbreviations.routeTables}${baseName}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    dhcpOptions: {
      dnsServers: dnsServers
    }
    subnets: [
      {
        name: 'app'
        properties: {
          ...guarded
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
          ...guarded
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
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
