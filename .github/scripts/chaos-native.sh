#!/bin/bash
# The long runs on the stack of `make up`: programs killed, and the cluster grown and shrunk.
#
#     ROUNDS=3 .github/scripts/chaos-native.sh
#
# Each round is `make test` of tests/chaos, on a cluster of its own; then `make bench-rebalancing`
# with BUYERS=8 who shop on while a node joins, gets its share and leaves. Needs the Citus extension.
# Results, and the logs of a round that failed, stay in RESULTS=.run-nightly; tables go into the
# summary. It goes on after a failure, and then ends with 1.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

rounds="${ROUNDS:-3}" buyers="${BUYERS:-8}" results="${RESULTS:-.run-nightly}"
for number in "$rounds" "$buyers"; do
    [[ $number =~ ^[1-9][0-9]?$ ]] || refuse "$number is not a number from 1 to 99."
done
export CITUS=on # without it there is nothing to see: say so, and do not pass
mkdir -p "$results"
rm -f "$results"/chaos-*.xml
status=0

files=()
for ((round = 1; round <= rounds; round++)); do
    files+=("$results/chaos-$round.xml")
    if ! make test PYTEST_ARGS="tests/chaos --junitxml=$PWD/$results/chaos-$round.xml"; then
        status=1
        cp -r .run/test/log "$results/chaos-$round.log" || true
    fi
done
{
    printf '### %s rounds of tests/chaos, native\n\n' "$rounds"
    python3 -m tests.rounds "${files[@]}"
} | summarize || status=1

# A stack of its own name, so that one which somebody works with stays as it is.
export STACK=nightly
code=0
if make up SPARES=1; then
    make bench-rebalancing ARGS="--buyers $buyers --seconds 60" >"$results/rebalancing.md" || code=$?
else
    code=1
    echo "the stack did not start" >"$results/rebalancing.md"
fi
{
    printf '\n### A cluster that grows and shrinks, native'
    ((code == 0)) || printf ': **failed (%s)**' "$code"
    printf '\n\n'
    cat "$results/rebalancing.md"
} | summarize
if ((code)); then
    status=1
    cp -rL .run/nightly/log "$results/rebalancing.log" || true
fi
# Not `make clean`, which removes every stack of the checkout.
.venv/bin/python -c 'from db.local.down import clean; clean("nightly")' || status=1
exit "$status"
