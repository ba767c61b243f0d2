-- php-fpm behind nginx: sessions, uploads, compiled templates, health checks, a reload.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("php-fpm", {
    image = [[
mkdir -p /var/www/html /run/php
chown www-data:www-data /var/www/html
rm -f /etc/nginx/sites-enabled/*
cat >/etc/nginx/conf.d/php.conf <<'END'
server {
  listen 80;
  root /var/www/html;
  client_body_temp_path /tmp/nginx;
  include fastcgi_params;
  fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
  location ~ (\.php|/ping)$ { fastcgi_pass 127.0.0.1:9000; }
}
END
cat >/etc/php/8.2/fpm/pool.d/zz-docker.conf <<'END'
[global]
daemonize = no
error_log = /proc/self/fd/2
[www]
listen = 9000
access.log = /proc/self/fd/2
clear_env = no
catch_workers_output = yes
ping.path = /ping
pm.max_children = 4
END
sed -i 's/^listen = .*php.*sock/listen = 9000/' /etc/php/8.2/fpm/pool.d/www.conf
cat >/var/www/html/index.php <<'END'
<?php
session_start();
$_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1;
$cache = "/var/www/html/var/cache/prod";
@mkdir($cache, 0755, true);
file_put_contents("$cache/" . session_id() . ".php", "<?php return " . var_export($_SESSION, true) . ";");
if (isset($_FILES["f"])) { move_uploaded_file($_FILES["f"]["tmp_name"], "/var/www/html/" . basename($_FILES["f"]["name"])); }
echo "visit ", $_SESSION["n"], " ", gethostbyname("localhost"), "\n";
END
]],
    command = [[sh -c 'nginx & exec php-fpm8.2 --nodaemonize']],
    outside = [[
until_true curl -fs http://127.0.0.1/index.php
echo picture >picture.png
for i in 1 2 3; do
  curl -fs -c jar -b jar http://127.0.0.1/index.php
  curl -fs -F f=@picture.png http://127.0.0.1/index.php
  inside sh -c 'curl -fs http://127.0.0.1/ping || exit 1'
  inside php-fpm8.2 -t
  inside php -r '$s = fsockopen("127.0.0.1", 9000); exit($s ? 0 : 1);'
done
inside sh -c 'kill -USR2 1'
until_true curl -fs http://127.0.0.1/index.php
]],
    stop = "QUIT",
    says = { "visit 3", "pong" },
    ran = { "nginx", "php-fpm8.2", "curl", "php" },
  }, container.missing "nginx" or container.missing "php-fpm8.2")
end)
