#!/bin/bash
# .env from .env.example, with a random value wherever that says change-me; readable for its owner
# alone. One that is there already stays: the databases were made with its passwords.
#
#     db/containers/make-env.sh [DIRECTORY]      the checkout's top unless it is named
set -euo pipefail

directory="$(realpath --relative-base=. -- "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}")"
example="$directory/.env.example"
target="$directory/.env"

fail() {
    echo "make env: $*" >&2
    exit 1
}

[[ -f $example ]] || fail "$example is not there."
[[ ! -e $target && ! -L $target ]] || fail "$target is there already, and stays: the databases were made with its passwords."

# mktemp makes it readable for its owner alone.
draft="$(mktemp "$directory/.env.XXXXXX")"
trap 'rm -f "$draft"' EXIT
while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line =~ ^([A-Z_]+)=change-me ]]; then
        # Hexadecimal: safe in URLs, in PgBouncer's list and in a password file without quoting.
        line="${BASH_REMATCH[1]}=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
    fi
    printf '%s\n' "$line"
done <"$example" >"$draft"
# `ln` fails where somebody else has made one meanwhile; `mv` would take its place.
ln "$draft" "$target" || fail "$target appeared meanwhile, and stays."
echo "Made $target, with random passwords. Next: docker compose up --wait"
