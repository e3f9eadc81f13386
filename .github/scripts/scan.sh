#!/bin/bash
# Look for known vulnerabilities, and for secrets, in the images that `make image` builds. `make scan`
#
#     .github/scripts/scan.sh [IMAGE…]
#
# By Trivy, which has to be installed, and which fetches its database first. Counted is what is high
# or critical and has a remedy. Ends with 0 when there is nothing, with 1 when there is something,
# and with 2 when it could not be told, which is no good news.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

images=("$@")
((${#images[@]})) || images=("${APP_IMAGE:-shardmart/app}:${TAG:-local}"
    "${NODE_IMAGE:-shardmart/node}:${NODE_TAG:-local}")
needs trivy "no image was scanned (https://trivy.dev says how to get it)."
needs_docker

FOUND=10 # told apart from Trivy's own failures, which are 1
status=0
for image in "${images[@]}"; do
    docker image inspect "$image" >/dev/null 2>&1 || refuse "there is no image $image: make image"
    code=0
    trivy image --quiet --scanners vuln,secret --severity HIGH,CRITICAL --ignore-unfixed \
        --exit-code "$FOUND" "$image" || code=$?
    case "$code" in
        0) echo "$image: nothing high or critical that has a remedy" ;;
        "$FOUND")
            echo "$image: vulnerable"
            ((status == 2)) || status=1
            ;;
        *)
            echo "$image: NOT scanned (Trivy ended with $code)" >&2
            status=2
            ;;
    esac
done
exit "$status"
