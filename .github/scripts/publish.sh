#!/bin/bash
# Bring images into their registry, and give one that is there a second name.
#
#     .github/scripts/publish.sh push
#     .github/scripts/publish.sh promote FROM TO
#
# push     upload shardmart/app:local and shardmart/node:local, which `make image` has built and CI has
#          tested, as APP_IMAGE:TAG and NODE_IMAGE:TAG
# promote  give both images of the tag FROM the tag TO as well: the same, to the digest, so that
#          what ran on staging is what production gets
#
# APP_IMAGE and NODE_IMAGE have to name a registry (ghcr.io/…); `docker login` is yours to do.
# A tag is for ever: push leaves one that is there as it is, promote refuses one that is another
# image.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

for image in "${APP_IMAGE:-}" "${NODE_IMAGE:-}"; do
    [[ ${image%%/*} == *[.:]* && $image == */* ]] ||
        refuse "APP_IMAGE and NODE_IMAGE must name a registry, as ghcr.io/owner/shardmart/app does."
done

# As JSON: a format of {{.Manifest.Digest}} alone prints a text for people.
digest_of() {
    docker buildx imagetools inspect "$1" --format '{{json .Manifest}}' 2>/dev/null |
        sed -n 's/.*"digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' | grep .
}

push() {
    local built="$1:local" image="$2:$TAG" there
    docker image inspect "$built" >/dev/null 2>&1 || refuse "there is no image $built: make image"
    if there="$(digest_of "$image")"; then
        echo "$image is in the registry already ($there): left as it is."
        return 0
    fi
    docker tag "$built" "$image"
    docker push --quiet "$image" >/dev/null || refuse "$image was not taken by the registry."
    echo "$image $(digest_of "$image")"
}

promote() {
    local from="$1:$2" to="$1:$3" digest there
    digest="$(digest_of "$from")" ||
        refuse "the registry has no $from: only what was built on main, and is green, is promoted."
    if there="$(digest_of "$to")"; then
        [[ $there == "$digest" ]] || refuse "$to is another image already ($there)."
    else
        # Pulled and pushed: `imagetools create` wraps it into a list, with a digest of its own.
        docker pull --quiet "$from" >/dev/null || refuse "$from cannot be fetched."
        docker tag "$from" "$to"
        docker push --quiet "$to" >/dev/null || refuse "the registry did not take $to."
        there="$(digest_of "$to")"
        [[ $there == "$digest" ]] || refuse "$to became another image ($there) than $from ($digest)."
    fi
    echo "$to is $from ($digest)"
}

is_tag() { [[ $1 =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$ ]]; }

case "${1:-}" in
    push)
        is_tag "${TAG:-}" || refuse "TAG=${TAG:-} cannot be the tag of an image."
        needs_docker
        push shardmart/app "$APP_IMAGE"
        push shardmart/node "$NODE_IMAGE"
        ;;
    promote)
        if ! is_tag "${2:-}" || ! is_tag "${3:-}"; then
            refuse "promote takes two tags: FROM and TO (--help)."
        fi
        needs_docker
        promote "$APP_IMAGE" "$2" "$3"
        promote "$NODE_IMAGE" "$2" "$3"
        ;;
    *) refuse "say push, or promote FROM TO (--help)." ;;
esac
