# shellcheck shell=bash
# Sourced by the scripts beside it, at the top of the checkout: help, errors, and what a CI job shows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Print the comment at the head of the script, and end, when -h or --help is among the arguments.
help_wanted() {
    local argument
    for argument in "$@"; do
        if [[ $argument == -h || $argument == --help ]]; then
            sed -n '2,/^[^#]/{ /^# shellcheck/d; s/^# \{0,1\}//p }' "$0"
            exit 0
        fi
    done
}

# What was asked for cannot be done at all, which is not the same as an answer that is "no" (1).
refuse() {
    echo "${0##*/}: $*" >&2
    exit 2
}

needs() {
    command -v "$1" >/dev/null || refuse "$1 is not installed; ${2:-nothing was done.}"
}

needs_docker() {
    needs docker
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
        refuse "docker's daemon does not answer; nothing was done."
}

# Show standard input, and keep it for the summary of the CI job where there is one.
summarize() {
    tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
}
