#!/bin/bash
# Brings a release to a host over SSH and docker compose, or the one before it back:
#
#     ENV=staging HOST=user@host TAG=… .github/scripts/deploy.sh [deploy|rollback|check|status]
#
# What can be chosen, and what the exit codes mean: docs/deployment.md, Updates. The work is done by
# db/remote, with the system's own Python and nothing besides: also where no environment was made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

oldest='3.11'
if ! python3 -c "import sys; sys.exit(sys.version_info < (${oldest/./, }))" 2>/dev/null; then
    echo "deploy.sh needs Python $oldest or newer on this machine. Nothing was changed." >&2
    exit 1
fi
export PYTHONDONTWRITEBYTECODE=1
exec python3 -m db.remote "$@"
