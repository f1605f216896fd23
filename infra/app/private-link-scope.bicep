// Puts workspace and component into a private link scope that exists: a second one would override its DNS zones.

@description('Name of the scope.')
param scopeName string
@description('Ids of the resources that are written and read through it.')
param members string[]

resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-09-01' existing = {
  name: scopeName
}

resource member 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = [for id in members: {
  parent: linkScope
  name: last(split(id, '/'))
  properties: {
    linkedResourceId: id
  }
}]
