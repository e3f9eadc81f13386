#!/bin/bash
# Make .venv-NAME hold exactly what requirements/NAME.txt says, apart from the .venv of the shop.
#
#     .github/scripts/venv.sh NAME
#
# A second run does nothing, unless the requirements have changed.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"

name="${1:-}"
requirements="requirements/$name.txt"
[[ -n $name && -f $requirements ]] || refuse "there is no $requirements: name one that is locked."
venv=".venv-$name"
stamp="$venv/.requirements.sha256"
wanted="$(sha256sum <"$requirements")"
if [[ -f $stamp && "$(<"$stamp")" == "$wanted" ]]; then exit 0; fi

echo "Installing $requirements into $venv" >&2
python3 -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --require-hashes -r "$requirements" >&2 || refuse "pip could not install $requirements."
echo "$wanted" >"$stamp"
