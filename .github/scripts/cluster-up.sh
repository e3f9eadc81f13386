#!/bin/bash
# Start the composed cluster from the images that are here, and wait until all of it is healthy.
#
#     WORKERS=4 .github/scripts/cluster-up.sh
#
# With 2 workers unless told otherwise. The first time it writes .env with random secrets. Its own
# images are neither built nor fetched (`make image` builds them); what it took goes into the summary.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"
needs_docker

export WORKERS="${WORKERS:-2}"
[[ $WORKERS =~ ^[1-9][0-9]?$ ]] || refuse "WORKERS=$WORKERS is not a number from 1 to 99."
for image in "${APP_IMAGE:-shardmart/app}:${TAG:-local}" "${NODE_IMAGE:-shardmart/node}:${NODE_TAG:-local}"; do
    docker image inspect "$image" >/dev/null 2>&1 || refuse "there is no image $image: make image"
done

[[ -f .env ]] || make --no-print-directory env
SECONDS=0
docker compose up --no-build --quiet-pull --wait --wait-timeout "${PATIENCE:-600}" ||
    { docker compose ps --all; exit 1; }
echo "$WORKERS workers: healthy, migrated and seeded after $SECONDS s." | summarize
