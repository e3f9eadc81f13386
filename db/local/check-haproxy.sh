#!/bin/bash
# Let HAProxy itself read the given configuration, with placeholder addresses.
set -euo pipefail
PATH="$PATH:/usr/sbin"
HTTP_BIND=127.0.0.1:8080 STATS_BIND=127.0.0.1:8404 \
    APP1=127.0.0.1:8001 APP2=127.0.0.1:8002 haproxy -c -f "$1"
