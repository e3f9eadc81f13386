#!/bin/bash
# Gather what tells why the composed cluster is unwell: the state of its containers, and their logs.
#
#     .github/scripts/cluster-logs.sh [DIRECTORY]
#
# DIRECTORY is .run-logs unless it is named; CI keeps it when a job fails. No variables and no
# configuration are read, so that no secret gets into it.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"
needs_docker

directory="${1:-.run-logs}"
mkdir -p "$directory"
docker compose ps --all >"$directory/ps.txt" || refuse "docker compose does not know this project."
docker stats --all --no-stream >"$directory/stats.txt" 2>&1 || true
free -m >"$directory/memory.txt" 2>&1 || true
df -h >"$directory/disk.txt" 2>&1 || true
count=0
while read -r id name; do
    if [[ -z $id ]]; then continue; fi
    docker inspect --format '{{json .State}}' "$id" >"$directory/$name.state.json" || true
    docker logs --timestamps "$id" >"$directory/$name.log" 2>&1 || true
    count=$((count + 1))
done < <(docker compose ps --all --format '{{.ID}} {{.Name}}')
echo "The logs of $count containers are in $directory."
