// A managed identity: the function app's, or that with which Event Grid delivers.

@description('Name of the identity.')
param name string
@description('Azure region.')
param location string
@description('Tags of the identity.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
