-- What holds when nobody chose: see processes, judge them by the rules, tell alerts on standard
-- error.  These are the defaults of the flags themselves (a test compares them), written out as the
-- place to begin a profile of one's own.
return {
  flags = {
    -- Starts, forks and ends of processes; rules need them.
    audit_allow_process_events = true,
    -- process_events holds the starts, as osquery's does; forks and ends would treble its size.
    audit_allow_fork_process_events = false,
    audit_allow_exit_process_events = false,

    outputs = "alerts/text:stderr",

    spool_limit_mib = 256,
    ring_size_mib = 8,
  },
}
