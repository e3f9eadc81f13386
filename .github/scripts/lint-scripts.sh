#!/bin/bash
# What `make lint` checks of the workflows, of docker-compose.yml and of the shell scripts.
#
#     .github/scripts/lint-scripts.sh
#
# Every shell script of the checkout is read by shellcheck. Of the workflows, a schema says which keys
# there are, and that each job has a timeout; zizmor finds what is unsafe; and actionlint, where it is
# installed (CI has it from requirements/actionlint.txt), reads expressions and embedded scripts.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"
PATH="$PWD/.venv/bin:$PWD/.venv-actionlint/bin:$PATH"

for program in shellcheck check-jsonschema zizmor; do
    needs "$program" "make install brings it, and nothing was checked."
done

# Files of the checkout, committed or about to be; without git, all there are.
files() {
    git ls-files --cached --others --exclude-standard -- "$@" 2>/dev/null ||
        find . -path './.venv*' -prune -o -path './.run*' -prune -o -name '*.sh' -print
}

mapfile -t scripts < <(files '*.sh' .ci/run | sort -u)
workflows=(.github/workflows/*.yml)
check() { check-jsonschema --quiet --builtin-schema "$@"; }

shellcheck --external-sources "${scripts[@]}"
check vendor.github-workflows "${workflows[@]}"
check custom.github-workflows-require-timeout "${workflows[@]}"
check vendor.dependabot .github/dependabot.yml
check vendor.compose-spec docker-compose.yml
zizmor --quiet --offline --no-progress .github
if command -v actionlint >/dev/null; then
    actionlint "${workflows[@]}"
    linted="and actionlint agree"
else
    linted="agree; actionlint is not installed, and was left out"
fi
echo "${#workflows[@]} workflows, ${#scripts[@]} shell scripts: shellcheck, schemas, zizmor $linted."
