local exceptions = require "moonwatch.exceptions"

return {
  id = "write_etc",
  summary = "Configuration changed while the container runs",
  why = "Below /etc is what the image was made with; after the start it does not change by itself.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "low",
  attack = { "T1098" },
  message = "{file.path} was written by {process.cmdline}",
  where = { paths = "/etc/", is = "written" },
  exceptions = {
    exceptions.package_managers,
    exceptions.startup,
    {
      reason = "what container engines, resolvers and certificate tools write",
      paths = { "/etc/hosts", "/etc/hostname", "/etc/resolv.conf*", "/etc/mtab", "/etc/ld.so.cache*", "/etc/ssl/certs/",
        "/etc/ca-certificates/", "/etc/.pwd.lock",
        "/etc/adjtime", "/etc/localtime*", "/etc/*.swp", "/etc/*~" },
    },
    {
      reason = "account_change tells of the tool",
      names = { "useradd", "adduser", "usermod", "userdel", "passwd", "chpasswd", "groupadd", "addgroup", "groupmod", "groupdel", "vipw" },
    },
    {
      reason = "other rules tell of these",
      paths = { "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d/", "/etc/pam.d/",
        "/etc/cron*", "/etc/npasswd", "/etc/nshadow", "/etc/passwd?", "/etc/shadow?", "/etc/group?", "/etc/gshadow?", "/etc/subuid?",
        "/etc/subgid?", "/etc/ld.so.*",
        "/etc/systemd/", "/etc/init.d/", "/etc/subuid", "/etc/subgid", "/etc/profile*", "/etc/nsswitch.conf", "/etc/rc*" },
    },
  },
  throttle = { by = { "process.exe", "file.path" }, period_s = 3600 },
  false_positives = { "Agents that render configuration again while the service runs" },
  references = { "https://attack.mitre.org/techniques/T1098/" },
  examples = {
    { expect = true, event = { kind = "file.modify", file = { path = "/etc/nginx/nginx.conf", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/resolv.conf", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/etc/cron.d/x", closed = true, found_by = "inotify" } } },
    { expect = false, event = { phase = "startup", kind = "file.modify", file = { path = "/etc/nginx/nginx.conf", closed = true,
      found_by = "inotify" } } },
    { expect = false, event = { process = { name = "dpkg", lineage = { package_manager = true } }, kind = "file.modify",
      file = { path = "/etc/x.conf", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", file = { path = "/srv/etc/x", closed = true, found_by = "inotify" } } },
  },
}
