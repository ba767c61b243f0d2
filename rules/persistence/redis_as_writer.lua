local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"

return {
  id = "redis_as_writer",
  summary = "Database that writes where it has no business",
  why = "Redis and its like are made to write keys, jobs and scripts by whoever may send them commands.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "high",
  attack = { "T1190" },
  message = "{process.name} wrote {file.path}",
  where = { names = lists.databases, paths = { "*/.ssh/*", "/etc/", "/var/spool/cron/", "/var/www/", "/usr/share/nginx/",
    "*.so", "*.php", "*.jsp" }, is = "written" },
  exceptions = {
    exceptions.startup,
    { reason = "configuration of its own", paths = { "/etc/redis/", "/etc/valkey/", "/etc/mysql/", "/etc/postgresql/",
      "/etc/mongod.conf", "/etc/clickhouse*" } },
  },
  false_positives = { "Databases that install extensions of their own" },
  references = { "https://attack.mitre.org/techniques/T1190/" },
  examples = {
    { expect = true, event = { process = { name = "redis-server" }, kind = "file.modify",
      file = { path = "/root/.ssh/authorized_keys", closed = true, found_by = "inotify" } } },
    { expect = true, event = { process = { name = "redis-server" }, kind = "file.modify",
      file = { path = "/var/spool/cron/root", closed = true, found_by = "inotify" } } },
    { expect = false, event = { process = { name = "redis-server" }, kind = "file.modify", file = { path = "/data/dump.rdb",
      closed = true, found_by = "inotify" } } },
    { expect = false, event = { process = { name = "redis-server" }, kind = "file.modify",
      file = { path = "/etc/redis/redis.conf", closed = true, found_by = "inotify" } } },
    { expect = false, event = { phase = "startup", process = { name = "postgres" }, kind = "file.modify",
      file = { path = "/etc/x", closed = true, found_by = "inotify" } } },
  },
}
