// The code, from the address of a released package: for deployments without azd, as with the button of the README.

@description('Name of the function app.')
param siteName string
@description('Address of the package; its libraries are in it, so that nothing is built.')
param packageUrl string

resource site 'Microsoft.Web/sites@2025-03-01' existing = {
  name: siteName
}

// Storage may refuse the upload for a minute after the app's role is assigned: then the same deployment once more is enough,
// which the name of this module in main.bicep says where Azure's error is read.
resource package 'Microsoft.Web/sites/extensions@2025-03-01' = {
  parent: site
  name: 'onedeploy'
  // Azure's published types describe no properties of it, but it takes these.
  #disable-next-line BCP187
  properties: {
    packageUri: packageUrl
    remoteBuild: false
  }
}
