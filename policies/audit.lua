-- For a trail that answers "what ran here, started by whom, for how long": everything seen of
-- processes is kept.
return {
  extends = "default",
  flags = {
    audit_allow_process_events = true,
    -- process_events gets forks and ends as well, three rows where the default keeps one …
    audit_allow_fork_process_events = true,
    audit_allow_exit_process_events = true,
    -- … hence more disk.  Fargate gives 20 GiB to a task by default.
    spool_limit_mib = 1024,
    ring_size_mib = 16,

    -- The end of a trail is often what one looks for.
    shutdown_flush_ms = 5000,

    attention_cpu_percent = 50,
    attention_stops_per_s = 50000,
  },

  attention = {
    extends = true,

    -- Servers that execute themselves anew …
    { programs = { "nginx", "php-fpm", "apache2", "httpd", "uwsgi", "postgres" },
      unless = { "dropped", "fileless", "late" }, level = "events" },
    -- … but what else they start, CGI programs included.
    { marked = { "web_server", "database" }, level = "calls" },
    { is = "secure", level = "calls" },
  },
}
