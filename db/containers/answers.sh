#!/bin/bash
# A health check: whether something listens on a port of this container and, where a path is given,
# answers it with 200. It runs every few seconds, so it is the shell's own and starts no Python.
#
#     answers.sh PORT [PATH]
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/$1"
if (($# > 1)); then
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\nUser-Agent: health-check\r\n\r\n' "$2" >&3
    IFS= read -r -t 10 status <&3
    [[ $status == HTTP/1.[01]\ 200\ * ]]
fi
