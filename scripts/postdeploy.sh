#!/bin/sh
# Subscribes the deployed function to the events of private endpoints, in every watched subscription.
# azd runs it after each deployment of the code, with the outputs of infra/main.bicep in its environment. By hand:
#   scripts/postdeploy.sh NAME-OF-THE-DEPLOYMENT      (the --name given to `az deployment sub create`)
set -eu

cd "$(dirname "$0")/.."

# azd has a sign-in of its own; this needs that of az, which says so itself where there is none.
signed_in=$(az account show --query id --output tsv)

if [ $# -gt 0 ]; then
  deployment=$1
  # Azure may answer an output with other capitals, AUTOPILOT_APP_ID as autopiloT_APP_ID (Azure/bicep#9360): ask for both.
  output() {
    first=${1%%_*}
    other=$(printf '%s' "${first%?}" | tr '[:upper:]' '[:lower:]')${first#"${first%?}"}_${1#*_}
    az deployment sub show --name "$deployment" --query "properties.outputs.[$1, $other][?@].value | [0]" --output tsv
  }
  AZURE_ENV_NAME=$(az deployment sub show --name "$deployment" --query "properties.parameters.environmentName.value" --output tsv)
  AZURE_LOCATION=$(output AZURE_LOCATION)
  AZURE_SUBSCRIPTION_ID=$signed_in
  AUTOPILOT_APP_ID=$(output AUTOPILOT_APP_ID)
  AUTOPILOT_STORAGE_ID=$(output AUTOPILOT_STORAGE_ID)
  AUTOPILOT_TOPIC_IDENTITY_ID=$(output AUTOPILOT_TOPIC_IDENTITY_ID)
  AUTOPILOT_ACTION_GROUP_ID=$(output AUTOPILOT_ACTION_GROUP_ID)
  AUTOPILOT_EVENT_DELIVERY=$(output AUTOPILOT_EVENT_DELIVERY)
  AUTOPILOT_WATCHED_SUBSCRIPTIONS=$(output AUTOPILOT_WATCHED_SUBSCRIPTIONS)
  AUTOPILOT_EXISTING_SYSTEM_TOPICS=$(output AUTOPILOT_EXISTING_SYSTEM_TOPICS)
  if [ -z "$AUTOPILOT_EVENT_DELIVERY" ]; then
    echo "The deployment $deployment has no output AUTOPILOT_EVENT_DELIVERY: is it the one of infra/main.bicep?" >&2
    exit 1
  fi
fi

if [ "$AUTOPILOT_EVENT_DELIVERY" != function ]; then
  echo "Events go to the queue; infra/main.bicep has made the event subscriptions."
  exit 0
fi

# The host needs a moment after the deployment until it knows its functions.
tries=0
until answer=$(az resource show --ids "$AUTOPILOT_APP_ID/functions/endpoint_events" --api-version 2024-04-01 --output none 2>&1); do
  tries=$((tries + 1))
  if [ "$tries" -ge 30 ]; then
    echo "$answer" >&2
    echo "The function endpoint_events has not appeared in 5 minutes. If it was not found, the app did not start: look at its log stream." >&2
    exit 1
  fi
  sleep 10
done

az deployment sub create \
  --name "privatelink-events-$AZURE_ENV_NAME" \
  --subscription "$AZURE_SUBSCRIPTION_ID" \
  --location "$AZURE_LOCATION" \
  --template-file infra/events.bicep \
  --parameters \
    environmentName="$AZURE_ENV_NAME" \
    location="$AZURE_LOCATION" \
    eventDelivery=function \
    functionAppId="$AUTOPILOT_APP_ID" \
    storageId="$AUTOPILOT_STORAGE_ID" \
    topicIdentityId="${AUTOPILOT_TOPIC_IDENTITY_ID:-}" \
    actionGroupId="${AUTOPILOT_ACTION_GROUP_ID:-}" \
    watchedSubscriptions="$AUTOPILOT_WATCHED_SUBSCRIPTIONS" \
    existingSystemTopics="${AUTOPILOT_EXISTING_SYSTEM_TOPICS:-}" \
  --output none
echo "Subscribed to private-endpoint events in: $AUTOPILOT_WATCHED_SUBSCRIPTIONS"
