-- Coming back.

---@type system.Acts
return {
  prepare = [[
tool none
mkdir -p /etc/cron.d /etc/systemd/system /etc/pam.d /var/www/html /root/.ssh /var/spool/cron /usr/lib/python3/dist-packages
touch /root/.bashrc
cp /usr/bin/python3 /opt/tools/redis-server
]],
  { "account_change", "useradd -M someone", says = "ran useradd -M someone" },
  { "account_change", "echo someone:secret | chpasswd", how = "of a password", says = "ran chpasswd" },
  { "account_file", "echo 'backdoor:x:0:0::/:/bin/sh' >>/etc/passwd", says = "/etc/passwd was written" },
  { "authorized_keys", "echo 'ssh-ed25519 AAAA me' >>/root/.ssh/authorized_keys", says = "/root/.ssh/authorized_keys was written" },
  { "cron_file", "echo '* * * * * root id' >/etc/cron.d/job", says = "/etc/cron.d/job was written" },
  { "cron_file", "echo '* * * * * id' | crontab -", how = "by crontab", says = "/var/spool/cron/crontabs/", times = { cron_file = 2 },
    needs = "crontab" },
  { "ld_preload_env", "LD_PRELOAD=/srv/hook.so /bin/true", says = "a library preloaded" },
  { "ld_preload_env", "LD_AUDIT=/srv/hook.so /bin/false", how = "to audit", says = "a library preloaded" },
  { "loader_preload", "echo /srv/hook.so >/etc/ld.so.preload; : >/etc/ld.so.preload", says = "/etc/ld.so.preload was written" },
  { "pam", "echo 'auth sufficient pam_permit.so' >>/etc/pam.d/common-auth", says = "/etc/pam.d/common-auth was written" },
  { "python_startup_hook", "echo 'import os' >/usr/lib/python3/dist-packages/hook.pth", says = "hook.pth was written" },
  { "redis_as_writer", [[redis-server -c 'import time
f = open("/root/.ssh/dump", "w")
f.write("x")
f.flush()
time.sleep(0.3)']], says = "redis-server wrote /root/.ssh/" },
  { "shell_profile", "echo id >>/root/.bashrc", says = "/root/.bashrc was written" },
  { "shell_profile", "echo id >/etc/profile.d/x.sh", how = "for everybody", says = "/etc/profile.d/x.sh was written" },
  { "systemd_init", "echo '[Service]' >/etc/systemd/system/x.service", says = "/etc/systemd/system/x.service was written" },
  { "web_script", "echo '<?php' >/var/www/html/up.php", says = "/var/www/html/up.php was written" },
  { "write_bin_dirs", "cp /bin/true /usr/local/bin/ls2", says = "/usr/local/bin/ls2 was written" },
  { "write_etc", "echo x >/etc/app.conf", says = "/etc/app.conf was written" },
  { "write_lib_loader", "cp /bin/true /usr/lib/libhook.so", says = "/usr/lib/libhook.so was written" },
  { "write_lib_loader", "echo /srv >/etc/ld.so.conf.d/x.conf", how = "by the loader's paths", says = "/etc/ld.so.conf.d/x.conf" },
}
