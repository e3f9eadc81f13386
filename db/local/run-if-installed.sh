#!/bin/bash
# Pass a command to db.local; before the first `make up` there is nothing to act on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ ! -f .venv/.requirements.sha256 ]]; then
    echo "Nothing runs: this checkout was never started (make up starts it)."
    exit 0
fi
exec .venv/bin/python -m db.local "$@"
