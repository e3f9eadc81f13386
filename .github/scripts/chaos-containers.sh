#!/bin/bash
# The long runs on the composed cluster: it grows, evens out and shrinks, and a worker crashes.
#
#     ROUNDS=3 .github/scripts/chaos-containers.sh
#
# The cluster runs already (cluster-up.sh). Each round is tests/load/composed.py: `grow`, of which no
# request may fail, and `kill`, whose users wait for their node; BUYERS=8 shop on meanwhile. What is
# printed stays in RESULTS=.run-nightly, and goes into the summary. After a failure it goes on, and
# then ends with 1.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

rounds="${ROUNDS:-3}" buyers="${BUYERS:-8}" results="${RESULTS:-.run-nightly}"
for number in "$rounds" "$buyers"; do
    [[ $number =~ ^[1-9][0-9]?$ ]] || refuse "$number is not a number from 1 to 99."
done
needs_docker
[[ -n "$(docker compose ps --quiet --status running haproxy 2>/dev/null)" ]] ||
    refuse "the composed cluster does not run: .github/scripts/cluster-up.sh"

# Python's packages alone: the servers are in their containers.
db/local/install-python.sh
mkdir -p "$results"
rm -f "$results"/composed-*
status=0
for ((round = 1; round <= rounds; round++)); do
    for what in grow kill; do
        file="$results/composed-$round-$what.md"
        code=0
        PYTHONPATH=src:. .venv/bin/python -m tests.load.composed "$what" --buyers "$buyers" \
            >"$file" 2>&1 || code=$?
        ((code == 0)) || status=1
        {
            printf '\n### %s, round %s of %s, in containers' "$what" "$round" "$rounds"
            ((code == 0)) || printf ': **failed (%s)**' "$code"
            printf '\n\n'
            cat "$file"
        } | summarize
    done
done
exit "$status"
