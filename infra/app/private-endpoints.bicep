// Private endpoints of the app's own storage, vault and site, with their DNS zones where no central policy makes them.

@description('Azure region.')
param location string
@description('Tags of all resources.')
param tags object
@description('Where they are made: namePrefix, subnetId, networkId (which must resolve their names), createZones, zoneGroupId (the group of zones that there are; without both a central policy adds the records).')
param endpoints object
@description('Storage account; empty for none here.')
param storageId string = ''
@description('Key vault; empty for none here.')
param vaultId string = ''
@description('Function app; empty for none here.')
param siteId string = ''

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
var reached = filter(all, one => !empty(one.target))
var resolved = endpoints.createZones || !empty(endpoints.zoneGroupId) ? reached : []
var made = empty(endpoints.zoneGroupId) ? resolved : []
var zonesAreIn = empty(endpoints.zoneGroupId) ? resourceGroup().id : endpoints.zoneGroupId

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = [for one in reached: {
  name: '${endpoints.namePrefix}${one.name}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: endpoints.subnetId
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

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for one in made: {
  name: one.zone
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (one, i) in made: {
  parent: zone[i]
  name: '${endpoints.namePrefix}${one.name}'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: endpoints.networkId
    }
  }
}]

resource group 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = [for (one, i) in resolved: {
  parent: endpoint[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: one.name
        properties: {
          privateDnsZoneId: '${zonesAreIn}/providers/Microsoft.Network/privateDnsZones/${one.zone}'
        }
      }
    ]
  }
  dependsOn: [link]
}]
