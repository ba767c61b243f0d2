-- PostgreSQL behind an entrypoint that calls initdb, as its official image has it; clients, archiving, a backup, health checks.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("PostgreSQL", {
    image = [[
mkdir -p /docker-entrypoint-initdb.d /var/lib/postgresql/data /var/backups/wal /var/run/postgresql
chown postgres:postgres /var/lib/postgresql/data /var/backups/wal
cat >/docker-entrypoint-initdb.d/10-schema.sql <<'END'
create table visits (id serial primary key, at timestamptz default now());
END
cat >/docker-entrypoint-initdb.d/20-user.sh <<'END'
#!/bin/bash
set -e
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<-EOSQL
	create user app password 'secret';
	grant all on visits to app;
EOSQL
END
chmod 755 /docker-entrypoint-initdb.d/20-user.sh
echo "insert into visits default values;" | gzip >/docker-entrypoint-initdb.d/30-data.sql.gz
cat >/usr/local/bin/docker-entrypoint.sh <<'END'
#!/usr/bin/env bash
set -Eeo pipefail
export PGDATA=/var/lib/postgresql/data POSTGRES_USER=postgres POSTGRES_DB=postgres
PATH=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1):$PATH
if [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /var/run/postgresql
	chmod 00700 "$PGDATA"
	find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
	chown postgres /var/run/postgresql
	chmod 03775 /var/run/postgresql
	exec setpriv --reuid postgres --regid postgres --init-groups "$BASH_SOURCE" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	uid=$(id -u)
	getent passwd "$uid" >/dev/null
	initdb --username=postgres --pwfile=<(printf '%s\n' secret) -N
	echo "host all all all trust" >>"$PGDATA/pg_hba.conf"
	pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
	for file in /docker-entrypoint-initdb.d/*; do
		case $file in
		*.sh) "$file" ;;
		*.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -U postgres -f "$file" ;;
		*.sql.gz) gunzip -c "$file" | psql -v ON_ERROR_STOP=1 --no-psqlrc -U postgres ;;
		esac
	done
	pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec "$@"
END
chmod 755 /usr/local/bin/docker-entrypoint.sh
]],
    command = "docker-entrypoint.sh postgres -c fsync=off -c archive_mode=on "
      .. "-c archive_command='test ! -f /var/backups/wal/%f && cp %p /var/backups/wal/%f'",
    outside = [[
answers() { psql -qAtw -h 127.0.0.1 -U postgres -c 'select 1'; }
until_true answers
for i in 1 2 3; do
  psql -qAt -h 127.0.0.1 -U postgres -c 'insert into visits default values' -c 'select count(*) from visits'
  inside sh -c 'pg_isready -U postgres || exit 1'
done
psql -qAt -h 127.0.0.1 -U postgres -c 'select pg_switch_wal()' -c 'vacuum analyze' >/dev/null
inside sh -c 'pg_dump -U postgres -h 127.0.0.1 postgres | gzip >/var/backups/postgres.sql.gz'
archived() { psql -qAt -h 127.0.0.1 -U postgres -c 'select archived_count from pg_stat_archiver' | grep -q '^[1-9]'; }
until_true archived
]],
    stop = "INT",
    says = { "CREATE ROLE", "accepting connections" },
    ran = { "initdb", "postgres", "psql", "pg_ctl", "pg_isready", "pg_dump" },
  }, container.missing "psql")
end)
