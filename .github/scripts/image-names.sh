#!/bin/bash
# Print what the images of this commit are called in the registry of this repository.
#
#     .github/scripts/image-names.sh >>"$GITHUB_ENV"
#
# As lines of APP_IMAGE, NODE_IMAGE and TAG. The tag is the first twelve digits of the commit, as in
# deploy.sh; registries take lower case alone, names of repositories do not have to be.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

repository="${GITHUB_REPOSITORY:-}" commit="${GITHUB_SHA:-$(git rev-parse HEAD 2>/dev/null || true)}"
[[ $repository =~ ^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$ ]] ||
    refuse "GITHUB_REPOSITORY=$repository is not owner/name."
[[ $commit =~ ^[0-9a-f]{40}$ ]] || refuse "GITHUB_SHA=$commit is no commit."
echo "APP_IMAGE=${REGISTRY:-ghcr.io}/${repository,,}/app"
echo "NODE_IMAGE=${REGISTRY:-ghcr.io}/${repository,,}/node"
echo "TAG=${commit::12}"
