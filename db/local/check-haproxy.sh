#!/bin/bash
# Let HAProxy itself read the given configuration, without and with TLS; and nginx the one that can
# take its place, where nginx is installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH="$PATH:/usr/sbin"

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
    -keyout "$scratch/key.pem" -out "$scratch/certificate.pem" 2>/dev/null
cat "$scratch/certificate.pem" "$scratch/key.pem" >"$scratch/tls.pem"

for certificate in '' "$scratch/tls.pem"; do
    TLS_CERTIFICATE="$certificate" haproxy -c -f "$1" ||
        { echo "haproxy refuses $1 ${certificate:+with TLS}" >&2; exit 1; }
done

if command -v nginx >/dev/null; then
    .venv/bin/python -m db.local.nginx >"$scratch/nginx.conf"
    nginx -t -q -e stderr -p "$scratch" -c "$scratch/nginx.conf"
else
    echo "nginx is not installed: haproxy/nginx.conf was not checked."
fi
