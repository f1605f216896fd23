#!/bin/sh
# Adds the topic and the event subscription where a watched subscription lacks them, those below management groups included.
#   scripts/topics.sh [NAME-OF-THE-DEPLOYMENT] [SUBSCRIPTION-ID...]
# A subscription that is named gets them anew, with the rights of its topic's identity.
exec "$(dirname "$0")/hook.sh" topics "$@"
