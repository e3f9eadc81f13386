#!/bin/bash
# Look for known vulnerabilities of everything that requirements/*.txt lock. `make audit`
#
#     .github/scripts/audit.sh [FILE…]
#
# Nothing is resolved or installed: the versions and hashes of the files are what is asked about.
# Ends with 0 when nothing is known, with 1 when something is, and with 2 when the question was not
# answered for every single package, which is no good news. What has to be lived with for a while
# stands in .github/audit-exceptions.txt, as "ID  # reason".
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

exceptions=.github/audit-exceptions.txt
files=("$@")
((${#files[@]})) || files=(requirements/*.txt)

options=()
while read -r id sign reason; do
    if [[ -z $id || $id == '#' ]]; then continue; fi
    [[ $sign == '#' && -n $reason ]] || refuse "$exceptions: $id has no reason (ID  # reason)."
    options+=(--ignore-vuln "$id")
done <"$exceptions"

.github/scripts/venv.sh audit
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
status=0
for file in "${files[@]}"; do
    [[ -f $file ]] || refuse "there is no $file."
    # --strict: a package that the database does not know ends it, and is not passed over.
    code=0
    .venv-audit/bin/pip-audit --requirement "$file" --require-hashes --disable-pip --strict \
        --progress-spinner off --desc off "${options[@]}" >"$log" 2>&1 || code=$?
    if ((code == 0)); then
        echo "$file: $(grep -c == "$file") packages, nothing known"
    elif grep -q '^Name .*Version .*ID' "$log"; then
        echo "$file: vulnerable"
        cat "$log"
        ((status == 2)) || status=1
    else
        echo "$file: NOT audited" >&2
        tail -n 3 "$log" >&2
        status=2
    fi
done
exit "$status"
