#!/bin/bash
# What the deploying job of CI runs: deploy.sh, with the key from the environment, and its end told.
#
#     ENV=staging HOST=deploy@shop.example SSH_KEY=… SSH_KNOWN_HOSTS=… .github/scripts/ship.sh ACTION
#
# ACTION is one of deploy.sh's: deploy, rollback, check, status. WANTED_TAG, where it is set, takes the
# place of TAG. By hand, with a key of one's own, it is `make deploy` alone. Ends as deploy.sh does: 1
# means that nothing was changed.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

action="${1:-}"
if [[ ! $action =~ ^(deploy|rollback|check|status)$ ]]; then
    echo "ship.sh: ${action:-nothing} is no action (--help)." >&2
    exit 1
fi
export TAG="${WANTED_TAG:-${TAG:-}}"

scratch="$(mktemp -d "${RUNNER_TEMP:-/tmp}/ssh.XXXXXX")"
trap 'rm -rf "$scratch"' EXIT
SSH_OPTIONS="$(.github/scripts/ssh-key.sh "$scratch")" || exit 1
export SSH_OPTIONS
unset SSH_KEY SSH_KNOWN_HOSTS

code=0
.github/scripts/deploy.sh "$action" || code=$?
case "$code" in
    0) told="done" ;;
    1) told="**refused: nothing was changed**" ;;
    2) told="**failed, and rolled back: what ran before runs**" ;;
    3) told="**failed, and so did the rollback: somebody has to look, now**" ;;
    *) told="**ended with $code**" ;;
esac
echo "$action of \`${TAG:-?}\` at ${ENV:-?}: $told" | summarize
exit "$code"
