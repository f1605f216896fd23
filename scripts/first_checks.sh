#!/bin/sh
# After the first deployment: looks at what only live Azure can tell, and prints a report to attach to an issue.
#   scripts/first_checks.sh [--change] [NAME-OF-THE-DEPLOYMENT]
# It only reads, unless --change lets it make, change back and delete a few things of the installation's own.
exec "$(dirname "$0")/hook.sh" first-checks "$@"
