-- nginx behind an entrypoint of scripts, as its official image has it, with requests, health checks and a reload.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("nginx", {
    image = [[mkdir -p /docker-entrypoint.d /etc/nginx/templates
cat >/docker-entrypoint.sh <<'END'
#!/bin/sh
set -e
if [ "$1" = nginx ] && find /docker-entrypoint.d -mindepth 1 -maxdepth 1 -type f -print -quit | read -r _; then
  find /docker-entrypoint.d -follow -type f -print | sort -V | while read -r script; do
    case $script in
    *.envsh) . "$script" ;;
    *.sh) "$script" ;;
    esac
  done
fi
exec "$@"
END
cat >/docker-entrypoint.d/10-listen-on-ipv6.sh <<'END'
#!/bin/sh
set -e
file=/etc/nginx/conf.d/default.conf
[ -f /proc/net/if_inet6 ] || exit 0
touch $file
. /etc/os-release
case $ID in
debian)
  sum=$(dpkg-query --show --showformat='${Conffiles}\n' nginx-common | grep etc/nginx/nginx.conf | cut -d' ' -f3)
  echo "$sum  /etc/nginx/nginx.conf" | md5sum -c - >/dev/null 2>&1 || true ;;
esac
sed -i -E 's,listen       80;,listen       80;\n    listen  [::]:80;,' $file
END
cat >/docker-entrypoint.d/15-resolvers.envsh <<'END'
NGINX_LOCAL_RESOLVERS=$(awk '$1 == "nameserver" { printf "%s ", $2 }' /etc/resolv.conf)
export NGINX_LOCAL_RESOLVERS
END
cat >/docker-entrypoint.d/20-envsubst.sh <<'END'
#!/bin/sh
set -e
names=$(printf '${%s} ' $(awk 'END { for (name in ENVIRON) print name }' </dev/null))
find /etc/nginx/templates -follow -type f -name '*.template' -print | while read -r template; do
  name=${template#/etc/nginx/templates/}
  envsubst "$names" <"$template" >"/etc/nginx/conf.d/${name%.template}"
done
END
cat >/docker-entrypoint.d/30-workers.sh <<'END'
#!/bin/sh
set -e
count=$(getconf _NPROCESSORS_ONLN)
path=$(awk -F: '$1 == 0 { print $3 }' /proc/self/cgroup)
mounted=$(grep -E '[^ ]+ [^ ]+ [^ ]+ [^ ]+ /sys/fs/cgroup ' /proc/self/mountinfo | cut -d' ' -f5 | head -1)
[ -f "$mounted$path/cpu.max" ] && cut -d' ' -f1 "$mounted$path/cpu.max"
sed -i.bak -r "s/^worker_processes.*/worker_processes $count;/" /etc/nginx/nginx.conf
END
chmod 755 /docker-entrypoint.sh /docker-entrypoint.d/*
rm -f /etc/nginx/sites-enabled/*
mkdir -p /usr/share/nginx/html
echo hello >/usr/share/nginx/html/index.html
cat >/etc/nginx/templates/default.conf.template <<'END'
server {
    listen       80;
    server_name  ${HOSTNAME};
    access_log   /dev/stdout;
    location / { root /usr/share/nginx/html; index index.html; }
    location /health { return 200 "ok\n"; }
}
END
]],
    command = "/docker-entrypoint.sh nginx -g 'daemon off;'",
    outside = [[until_true curl -fs http://127.0.0.1/
for i in 1 2 3; do curl -fs http://127.0.0.1/ >/dev/null; curl -s http://127.0.0.1/none >/dev/null
 inside sh -c 'curl -f http://127.0.0.1/health || exit 1'
 inside sh -c 'wget -q --spider http://127.0.0.1/health || exit 1'
 done
 inside sh -c 'service nginx status || exit 1'
 inside nginx -s reload]],
    stop = "QUIT",
    says = { "GET /health", "nginx is running" },
    ran = { "docker-entrypoi", "envsubst", "nginx", "curl", "wget" },
    alerts = { write_etc = "low" },
  }, container.missing "nginx" or container.missing "envsubst")
end)
