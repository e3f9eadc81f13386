#!/bin/bash
# Build the two images, and refuse one that is too large. `make image`
#
#     .github/scripts/image.sh [build|size|twice|save FILE|load FILE]
#
# build   build them and check their sizes; the default
# size    check the sizes of the images that are there
# twice   build the application's image again from nothing, and compare the two file by file
# save    write them and the image of the tests, where there is one, into a file (.tar.gz)
# load    bring in what such a file holds
#
# APP_IMAGE, NODE_IMAGE, TAG and NODE_TAG name them, as in docker-compose.yml; BUILD_NETWORK=host
# builds in this machine's network. The application may have APP_LIMIT=250 MB (10^6 bytes) in all, its
# base included; a node NODE_LIMIT=200 MB of ours, above the image that Citus's makers ship.
# Ends with 1 when an image is too large or is not made the same twice, with 2 when it is not there.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

app="${APP_IMAGE:-shardmart/app}:${TAG:-local}"
node="${NODE_IMAGE:-shardmart/node}:${NODE_TAG:-local}"
tests="shardmart/tests:${TAG:-local}"
app_base="$(awk '$1 == "FROM" && $NF == "app" { print $2; exit }' src/Dockerfile)"
node_base="$(awk '$1 == "FROM" { print $2; exit }' db/containers/node/Dockerfile)"

# The unpacked layers together, in bytes. Not `inspect`: where images are kept by containerd it
# tells what was transferred, compressed.
bytes_of() {
    docker history --human=false --format '{{.Size}}' "$1" 2>/dev/null |
        awk '{ total += $1 } END { if (!NR) exit 1; printf "%d\n", total }' ||
        refuse "there is no image $1: .github/scripts/image.sh build"
}

# A base that was built upon lies in the builder's cache, and is not always an image here.
fetch() {
    docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >/dev/null ||
        refuse "$1 cannot be fetched, so that nobody knows what is ours of an image."
}

# row NAME BYTES BASE-NAME BASE-BYTES LIMIT WHICH: a line of the table; WHICH=all|ours has the limit,
# and a status of 1 says that it is passed.
row() {
    awk -v name="$1" -v bytes="$2" -v base="$3" -v below="$4" -v limit="$5" -v which="$6" 'BEGIN {
        ours = bytes - below
        large = (which == "all" ? bytes : ours) > limit * 1000000
        printf "| `%s` | %.1f | %.1f | %.1f (`%s`) | %s: %d |%s\n", name, bytes / 1000000,
            ours / 1000000, below / 1000000, base, which, limit, large ? " **too large** |" : " |"
        exit large
    }'
}

check_size() {
    local app_bytes node_bytes status=0
    app_bytes="$(bytes_of "$app")"
    node_bytes="$(bytes_of "$node")"
    fetch "$app_base"
    fetch "$node_base"
    {
        printf '| image | MB | ours | base | limit | |\n|---|---:|---:|---:|---|---|\n'
        row "$app" "$app_bytes" "$app_base" "$(bytes_of "$app_base")" "${APP_LIMIT:-250}" all ||
            status=1
        row "$node" "$node_bytes" "$node_base" "$(bytes_of "$node_base")" "${NODE_LIMIT:-200}" ours ||
            status=1
        exit "$status"
    } | summarize
}

# What an image holds: the SHA-256 of each file but byte code, which carries the time of its source.
contents_of() {
    docker run --rm --network none --entrypoint sh "$1" -c \
        'find /venv /app -type f ! -name "*.pyc" ! -name direct_url.json -print0 | xargs -0 sha256sum' |
        sort -k 2
}

build_twice() {
    docker build --quiet --no-cache --network "${BUILD_NETWORK:-default}" \
        --target app --file src/Dockerfile --tag "$app-again" . >/dev/null
    contents_of "$app" >"$scratch/first"
    contents_of "$app-again" >"$scratch/second"
    docker image rm --force "$app-again" >/dev/null
    [[ -s $scratch/first ]] || refuse "nothing could be read from $app."
    if diff "$scratch/first" "$scratch/second"; then
        echo "Built twice, $(wc -l <"$scratch/first") files each: the same." | summarize
    else
        echo "Built twice, and not the same; the files that differ are above." | summarize
        return 1
    fi
}

save() {
    local images=("$app" "$node")
    docker image inspect "${images[@]}" >/dev/null 2>&1 || refuse "there is no ${images[*]}: make image"
    if docker image inspect "$tests" >/dev/null 2>&1; then images+=("$tests"); fi
    docker save "${images[@]}" | gzip -1 >"$1.part"
    mv "$1.part" "$1"
    echo "$1: ${images[*]}, $(($(stat --format %s "$1") / 1000000)) MB"
}

needs_docker
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
case "${1:-build}" in
    build)
        docker build --network "${BUILD_NETWORK:-default}" --target app \
            --file src/Dockerfile --tag "$app" .
        docker build --network "${BUILD_NETWORK:-default}" \
            --file db/containers/node/Dockerfile --tag "$node" .
        check_size
        ;;
    size) check_size ;;
    twice) build_twice ;;
    save)
        [[ -n ${2:-} ]] || refuse "name a file, as images.tar.gz (--help)."
        save "$2"
        ;;
    load)
        [[ -f ${2:-} ]] || refuse "there is no file ${2:-}: name one that save has written."
        docker load --input "$2"
        ;;
    *) refuse "$1 is not one of build, size, twice, save and load (--help)." ;;
esac
