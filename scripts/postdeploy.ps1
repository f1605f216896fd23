# Subscribes the deployed function to the events of private endpoints, in every watched subscription.
# azd runs it after each deployment of the code, with the outputs of infra/main.bicep in its environment. By hand:
#   scripts/postdeploy.ps1 NAME-OF-THE-DEPLOYMENT      (the --name given to `az deployment sub create`)
param([string]$Deployment)
$ErrorActionPreference = 'Stop'
# How az ended is looked at below, in the way that every PowerShell 7 knows.
$PSNativeCommandUseErrorActionPreference = $false
Set-Location (Join-Path $PSScriptRoot '..')

# azd has a sign-in of its own; this needs that of az, which says so itself where there is none.
$signedIn = az account show --query id --output tsv
if ($LASTEXITCODE -ne 0) { exit 1 }

if ($Deployment) {
  $shown = az deployment sub show --name $Deployment --output json | ConvertFrom-Json
  if ($LASTEXITCODE -ne 0) { exit 1 }
  $env:AZURE_ENV_NAME = $shown.properties.parameters.environmentName.value
  $env:AZURE_SUBSCRIPTION_ID = $signedIn
  # Azure may answer an output with other capitals (Azure/bicep#9360); PowerShell does not mind.
  foreach ($name in 'AZURE_LOCATION', 'AUTOPILOT_APP_ID', 'AUTOPILOT_STORAGE_ID', 'AUTOPILOT_TOPIC_IDENTITY_ID',
    'AUTOPILOT_ACTION_GROUP_ID', 'AUTOPILOT_EVENT_DELIVERY', 'AUTOPILOT_WATCHED_SUBSCRIPTIONS',
    'AUTOPILOT_EXISTING_SYSTEM_TOPICS') {
    Set-Item "env:$name" ([string]$shown.properties.outputs.$name.value)
  }
  if (-not $env:AUTOPILOT_EVENT_DELIVERY) {
    Write-Error "The deployment $Deployment has no output AUTOPILOT_EVENT_DELIVERY: is it the one of infra/main.bicep?"
  }
}

if ($env:AUTOPILOT_EVENT_DELIVERY -ne 'function') {
  Write-Output 'Events go to the queue; infra/main.bicep has made the event subscriptions.'
  exit 0
}

# The host needs a moment after the deployment until it knows its functions.
$there = $false
for ($try = 0; $try -lt 30 -and -not $there; $try++) {
  if ($try -gt 0) { Start-Sleep -Seconds 10 }
  $answer = az resource show --ids "$env:AUTOPILOT_APP_ID/functions/endpoint_events" --api-version 2024-04-01 --output none 2>&1 | Out-String
  $there = $LASTEXITCODE -eq 0
}
if (-not $there) {
  Write-Output $answer
  Write-Error 'The function endpoint_events has not appeared in 5 minutes. If it was not found, the app did not start: look at its log stream.'
}

az deployment sub create `
  --name "privatelink-events-$env:AZURE_ENV_NAME" `
  --subscription $env:AZURE_SUBSCRIPTION_ID `
  --location $env:AZURE_LOCATION `
  --template-file infra/events.bicep `
  --parameters `
    environmentName="$env:AZURE_ENV_NAME" `
    location="$env:AZURE_LOCATION" `
    eventDelivery=function `
    functionAppId="$env:AUTOPILOT_APP_ID" `
    storageId="$env:AUTOPILOT_STORAGE_ID" `
    topicIdentityId="$env:AUTOPILOT_TOPIC_IDENTITY_ID" `
    actionGroupId="$env:AUTOPILOT_ACTION_GROUP_ID" `
    watchedSubscriptions="$env:AUTOPILOT_WATCHED_SUBSCRIPTIONS" `
    existingSystemTopics="$env:AUTOPILOT_EXISTING_SYSTEM_TOPICS" `
  --output none
if ($LASTEXITCODE -ne 0) { exit 1 }
Write-Output "Subscribed to private-endpoint events in: $env:AUTOPILOT_WATCHED_SUBSCRIPTIONS"
