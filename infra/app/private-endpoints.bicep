// Private endpoints of the app's own storage, vault and site, with their DNS zones where no central policy makes them.

@description('Beginning of the endpoints\' names.')
param namePrefix string
@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Subnet for the endpoints.')
param subnetId string
@description('Network that must resolve the names.')
param networkId string
@description('Storage account; empty for none here.')
param storageId string = ''
@description('Key vault; empty for none here.')
param vaultId string = ''
@description('Function app; empty for none here.')
param siteId string = ''
@description('Whether to make the DNS zones here; false where a central policy adds the records.')
param createZones bool

var storageSuffix = environment().suffixes.storage
// environment() does not know this one: https://learn.microsoft.com/azure/private-link/private-endpoint-dns.
var siteZones = {
  AzureCloud: 'privatelink.azurewebsites.net'
  AzureUSGovernment: 'privatelink.azurewebsites.us'
  AzureChinaCloud: 'privatelink.chinacloudsites.cn'
}
var vaultSuffix = replace(environment().suffixes.keyvaultDns, '.vault.', '.')
var all = [
  { name: 'blob', target: storageId, group: 'blob', zone: 'privatelink.blob.${storageSuffix}' }
  { name: 'queue', target: storageId, group: 'queue', zone: 'privatelink.queue.${storageSuffix}' }
  { name: 'table', target: storageId, group: 'table', zone: 'privatelink.table.${storageSuffix}' }
  { name: 'vault', target: vaultId, group: 'vault', zone: 'privatelink.vaultcore${vaultSuffix}' }
  { name: 'site', target: siteId, group: 'sites', zone: siteZones[environment().name] }
]
var endpoints = filter(all, one => !empty(one.target))

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = [for one in endpoints: {
  name: '${namePrefix}${one.name}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: one.name
        properties: {
          privateLinkServiceId: one.target
          groupIds: [one.group]
        }
      }
    ]
  }
}]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for one in (createZones ? endpoints : []): {
  name: one.zone
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (one, i) in (createZones ? endpoints : []): {
  parent: zone[i]
  name: '${namePrefix}${one.name}'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}]

resource group 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (one, i) in (createZones ? endpoints : []): {
  parent: endpoint[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: one.name
        properties: {
          privateDnsZoneId: zone[i].id
        }
      }
    ]
  }
}]
