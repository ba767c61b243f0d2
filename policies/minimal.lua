-- For small tasks (a quarter of a CPU, half a GiB) and for trying moonwatch in front of something
-- delicate: the same rules and alerts, with as little memory, disk and waiting as possible.
return {
  extends = "default",
  flags = {
    -- Room for the shipped rules, and some of one's own.
    rule_memory_mib = 12,
    rule_event_instructions = 50000,

    -- Longer bursts of starts are dropped here, and counted.
    ring_size_mib = 1,
    -- Hours rather than days of process_events.
    spool_limit_mib = 16,

    allow_inotify_file_events = false,

    -- Rather start unwatched, or lose the last events, than be noticed.
    attach_timeout_ms = 100,
    shutdown_flush_ms = 250,
  },

  -- Nobody's system calls.
  attention = { default = "events" },
}
