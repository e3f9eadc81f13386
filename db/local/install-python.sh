#!/bin/bash
# Make .venv hold exactly what requirements/dev.txt says; a run that finds it so does nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

requirements=requirements/dev.txt
stamp=.venv/.requirements.sha256
wanted="$(sha256sum <"$requirements")"

is_current() {
    [[ -x .venv/bin/python && -x .venv/bin/shardctl && -f $stamp && "$(<"$stamp")" == "$wanted" ]]
}
if is_current; then exit 0; fi

# `make up` and `make test` may come here at the same moment.
mkdir -p .run
exec 9>.run/.install.lock
flock 9
if is_current; then exit 0; fi

# A first run that was cut off leaves a .venv without pip: begin again.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python3 -m venv --clear .venv
fi
echo "Installing Python packages into .venv (the first time takes a minute or two)"
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --require-hashes -r "$requirements"; then
    echo "pip could not install $requirements into .venv; run the same command again to retry." >&2
    exit 1
fi
# shardctl of this checkout, from whatever directory.
cat >.venv/bin/shardctl <<EOF
#!/bin/sh
PYTHONPATH="$PWD\${PYTHONPATH:+:\$PYTHONPATH}" exec "$PWD/.venv/bin/python" -m sharding "\$@"
EOF
chmod +x .venv/bin/shardctl

echo "$wanted" >"$stamp"
