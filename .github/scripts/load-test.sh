#!/bin/bash
# A short load on a running shop, through its front, with a table of the figures. `make load`
#
#     .github/scripts/load-test.sh [URL]
#
# URL is http://127.0.0.1:8080 unless it is named. LOAD_USERS=20 shoppers come, two a second, and go on
# for LOAD_SECONDS=60 in all (tests/load/locustfile.py says what they do). Locust's own files stay in
# LOAD_RESULTS=.run-load. Ends with 1 when a single request failed, with 2 when none could be sent.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

url="${1:-http://127.0.0.1:8080}"
users="${LOAD_USERS:-20}" seconds="${LOAD_SECONDS:-60}" results="${LOAD_RESULTS:-.run-load}"
[[ $url =~ ^https?://[^/]+$ ]] || refuse "$url is no address of a shop, as http://127.0.0.1:8080 is."
for number in "$users" "$seconds"; do
    [[ $number =~ ^[1-9][0-9]{0,4}$ ]] || refuse "$number is not a number from 1 to 99999."
done

.github/scripts/venv.sh load
mkdir -p "$results"
rm -f "$results"/load_*.csv
code=0
.venv-load/bin/locust --locustfile tests/load/locustfile.py --host "$url" --headless \
    --users "$users" --spawn-rate 2 --run-time "${seconds}s" --stop-timeout 40 --only-summary \
    --csv "$results/load" --csv-full-history --exit-code-on-error 1 \
    >"$results/locust.log" 2>&1 || code=$?
if [[ ! -f $results/load_stats.csv ]] || ((code > 1)); then
    reason="$(sed -n 's/^load: //p' "$results/locust.log" | head -n 1)"
    refuse "${reason:-the shop could not be loaded.} $results/locust.log tells more."
fi
{
    echo "**$users shoppers for $seconds seconds**"
    echo
    python3 -m tests.load.summary "$results/load_stats.csv"
    if ((code)); then
        printf '\nWhat failed:\n\n```\n'
        head -n 20 "$results/load_failures.csv"
        echo '```'
    fi
} | summarize
exit "$code"
