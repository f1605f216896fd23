#!/bin/sh
# Runs one of azd's hooks, by azd or by hand: scripts/hook.sh NAME [DEPLOYMENT]. What each does: scripts/hooks/__main__.py.
set -eu
hooks=$(dirname "$0")/hooks
for python in python3 python; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
    exec "$python" "$hooks" "$@"
  fi
done
echo "Python 3.9 or later is needed: https://www.python.org/downloads" >&2
exit 1
