-- cron, its daily jobs, logrotate, a backup.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("cron", {
    image = [[
rm -f /etc/cron.d/* /etc/cron.daily/apt-compat /etc/nginx/sites-enabled/*
mkdir -p /var/log/nginx /var/backups /var/www/html
cat >/etc/nginx/conf.d/site.conf <<'END'
server { listen 80; location / { return 200 "ok\n"; } }
END
cat >/etc/cron.d/daily <<'END'
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin
@reboot root cd / && run-parts --report /etc/cron.daily; echo done >/run/daily.done
@reboot www-data find /tmp -maxdepth 1 -name 'sess_*' -mmin +60 -delete; echo done >/tmp/clean.done
@reboot root /usr/local/bin/backup; echo done >/run/backup.done
@reboot root curl -fsS http://127.0.0.1/ >/dev/null; echo done >/run/ping.done
@reboot root /usr/sbin/logrotate -f /etc/logrotate.d/nginx; echo done >/run/rotate.done
* * * * * root true
END
cat >/etc/cron.d/php <<'END'
@reboot root [ -x /usr/lib/php/sessionclean ] && /usr/lib/php/sessionclean; echo done >/run/php.done
END
echo line >/var/log/nginx/access.log
echo line >/var/log/nginx/error.log
chown -R www-data:adm /var/log/nginx
echo '30 4 * * * /usr/local/bin/backup' >/tmp/crontab.new
cat >/etc/cron.daily/app <<'END'
#!/bin/sh
rm -rf /var/cache/app/old
for user in $(cut -d: -f1 /etc/passwd); do id "$user" >/dev/null; done
END
cat >/usr/local/bin/backup <<'END'
#!/bin/sh
tar -czf /var/backups/site.tar.gz /var/www/html /etc/nginx
find /var/backups -name '*.gz' -mtime +7 -delete
END
chmod 755 /etc/cron.daily/app /usr/local/bin/backup
rm -f /tmp/*.done
]],
    command = "sh -c 'nginx; crontab /tmp/crontab.new; exec cron -f'",
    outside = [[
root=/proc/$init/root
for job in run/daily tmp/clean run/backup run/ping run/rotate run/php; do until_true test -e $root/$job.done; done
inside crontab -l
inside sh -c 'pgrep cron || exit 1'
ls $root/var/log/nginx $root/var/backups
]],
   stop = "KILL",
    says = { "access.log.1", "site.tar.gz", "/usr/local/bin/backup" },
    ran = { "cron", "logrotate", "run-parts", "tar", "curl", "pgrep" },
    alerts = { cron_file = "medium" },
  }, container.missing "cron" or container.missing "logrotate" or container.missing "nginx")
end)
