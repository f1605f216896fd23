#!/bin/sh
# Lists the roles that the app needs (principal, role, scope), and the commands for those that are not assigned yet: for a
# deployment with assignRoles=false, whose roles a platform team assigns. It only reads.
#   scripts/roles.sh [NAME-OF-THE-DEPLOYMENT]
exec "$(dirname "$0")/hook.sh" roles "$@"
