#!/bin/bash
# Lay out the key and the known hosts of a deployment, and print the SSH_OPTIONS that use them.
#
#     SSH_KEY=… SSH_KNOWN_HOSTS=… HOST=deploy@shop.example .github/scripts/ssh-key.sh DIRECTORY
#
# Both are the contents of files, as secrets carry them. The host has to be among the known ones
# (ssh-keyscan prints its line; compare it on the host): nobody is trusted at first sight.
# shellcheck source=.github/scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
help_wanted "$@"
needs ssh-keygen

directory="${1:-}"
[[ -n $directory ]] || refuse "name a directory for the key (--help)."
for variable in SSH_KEY SSH_KNOWN_HOSTS HOST; do
    [[ -n ${!variable:-} ]] || refuse "$variable is empty: set it in the environment of the job."
done

umask 077
mkdir -p "$directory"
# A secret that was pasted lacks its last newline, which ssh insists on, or has Windows' line ends.
printf '%s\n' "${SSH_KEY//$'\r'/}" >"$directory/key"
printf '%s\n' "${SSH_KNOWN_HOSTS//$'\r'/}" >"$directory/known_hosts"
ssh-keygen -y -P '' -f "$directory/key" >/dev/null 2>&1 ||
    refuse "SSH_KEY is no private key, or asks for a passphrase."

target="${HOST#ssh://}"
target="${target##*@}"
port=22
if [[ $target =~ ^(.*):([0-9]+)$ ]]; then target="${BASH_REMATCH[1]}" port="${BASH_REMATCH[2]}"; fi
if ((port != 22)); then target="[$target]:$port"; fi
ssh-keygen -F "$target" -f "$directory/known_hosts" >/dev/null ||
    refuse "SSH_KNOWN_HOSTS does not know $target."
echo "-i $directory/key -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
-o UserKnownHostsFile=$directory/known_hosts"
