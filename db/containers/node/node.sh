#!/bin/bash
# PostgreSQL with Citus, and PgBouncer beside it. The node is known to the others by the name that
# the network gives its container, e.g. shardmart-worker-2: it stays when the address changes, and
# the data of each name lies in a directory of its own, so that workers may share one volume and
# find their data again after `docker compose down` and `up`.
set -euo pipefail

: "${POSTGRES_PASSWORD:?}" "${OWNER_PASSWORD:?}" "${APP_PASSWORD:?}" "${MONITOR_PASSWORD:?}"

# The engine's name service answers with "name.network" for our own address; /etc/hosts, which is
# asked first otherwise, with the container's id, and that is another one each time.
name="${NODE_NAME:-$(getent -s dns hosts "$(hostname -i)" | awk '{ print $2 }' || true)}"
name="${name%%.*}"
[[ -n $name ]] || { echo "node.sh: the name service does not know us" >&2; exit 1; }
export PGDATA="/var/lib/postgresql/data/$name"
echo "node.sh: this is $name; its data is in $PGDATA"

# The nodes log in to each other as whoever asks them: with these, and no password in a catalog.
umask 077
run="$(mktemp -d)"
cat >"$run/pgpass" <<END
*:*:*:postgres:$POSTGRES_PASSWORD
*:*:*:shardmart_owner:$OWNER_PASSWORD
*:*:*:shardmart_app:$APP_PASSWORD
*:*:*:shardmart_monitor:$MONITOR_PASSWORD
END
export PGPASSFILE="$run/pgpass"

cat >"$run/userlist.txt" <<END
"postgres" "$POSTGRES_PASSWORD"
"shardmart_app" "$APP_PASSWORD"
"shardmart_monitor" "$MONITOR_PASSWORD"
END

# The same files as without containers; what differs is where a node listens.
# shellcheck disable=SC2016 # the dollar signs are the files' own
fill() {
    sed -e 's/\$port/5432/; s/\$pg_port/5432/; s/\$pool_port/6432/' \
        -e "s/\\\$preload/citus,pg_stat_statements/; s/\\\$shards/${SHARD_COUNT:-32}/" \
        -e "s#\\\$auth_file#$run/userlist.txt#" \
        -e "s/^listen_addresses = .*/listen_addresses = '*'/; s/^listen_addr = .*/listen_addr = */" \
        -e "s#^unix_socket_directories = .*#unix_socket_directories = '/var/run/postgresql'#" \
        -e "s/^citus.local_hostname = .*/citus.local_hostname = 'localhost'/" \
        "$@"
}
files=(/etc/shardmart/postgresql.conf /etc/shardmart/citus.conf)
if [[ "$(postgres --describe-config)" == *$'\n'output_plugin_libraries* ]]; then
    files+=(/etc/shardmart/plugins.conf) # older minor versions refuse to start with it
fi
fill "${files[@]}" >"$run/postgresql.conf"
fill /etc/shardmart/pgbouncer.ini >"$run/pgbouncer.ini"

# What the image does to an empty directory; a PGPASSWORD of its own, which it leaves behind for
# every role, stays in there.
docker-ensure-initdb.sh postgres -c "config_file=$run/postgresql.conf"

# Either of the two that ends takes the container with it; the restart policy brings both back.
postgres -c "config_file=$run/postgresql.conf" "$@" &
postgres=$!
pgbouncer "$run/pgbouncer.ini" &
pgbouncer=$!
stop() {
    kill -TERM "$pgbouncer" 2>/dev/null || true
    kill -INT "$postgres" 2>/dev/null || true # fast shutdown: sessions are ended, data is flushed
}
trap stop TERM INT
wait -n "$postgres" "$pgbouncer" || true
stop
wait "$postgres" || true
