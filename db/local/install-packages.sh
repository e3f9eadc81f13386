#!/bin/bash
# Install the Debian packages of the stack, only those whose programs are missing; with --tests
# also the browser that the end-to-end tests look through, and the nginx that they try. The monitoring's packages are wanted
# unless MONITORING=off, and a stack starts without them as well.
set -euo pipefail

has_program() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null; }
has_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has_program initdb; }
# Debian keeps ensurepip in python3-venv: `python3 -m venv` exists without it and fails half-way.
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed, and python3 is $(python3 --version 2>&1)." >&2
    exit 1
fi

missing=()
has_postgresql || missing+=(postgresql)
has_program pgbouncer || missing+=(pgbouncer)
has_program haproxy || missing+=(haproxy)
has_program redis-server || missing+=(redis-server)
has_venv || missing+=(python3-venv)
if [[ ${1:-} == --tests ]]; then
    has_program chromium || has_program google-chrome || missing+=(chromium)
    has_program chromedriver || missing+=(chromium-driver)
    has_program nginx || missing+=(nginx-light)
fi

optional=()
if [[ ${MONITORING:-auto} != off ]]; then
    for package in prometheus prometheus-alertmanager prometheus-postgres-exporter \
        prometheus-redis-exporter; do
        has_program "$package" || optional+=("$package")
    done
fi
if ((${#missing[@]} + ${#optional[@]} == 0)); then exit 0; fi

# What is missing decides: without the servers nothing runs, without the monitoring the rest does.
status=0
((${#missing[@]} == 0)) || status=1

if ! has_program apt-get; then
    echo "These programs are missing and apt-get is not here to install them: ${missing[*]} ${optional[*]}." >&2
    exit "$status"
fi
as_root=()
if ((EUID != 0)); then
    if ! has_program sudo; then
        echo "Debian packages are missing; as root, run: apt-get install ${missing[*]} ${optional[*]}" >&2
        exit "$status"
    fi
    as_root=(sudo)
fi

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@"; }

# --no-install-recommends: the stack needs the servers alone. The clusters and services that
# Debian starts with them stay as they are; the stack has its own data and its own ports.
install() {
    if (($# == 0)); then return 0; fi
    echo "Installing Debian packages: $*"
    if { apt update && apt install -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
        return 0
    fi
    tail -n 20 "$log" >&2
    echo "apt-get could not install: $*." >&2
    return 1
}

install "${missing[@]}" || exit 1
install "${optional[@]}" || echo "The stack starts without monitoring."
