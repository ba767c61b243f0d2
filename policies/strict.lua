-- Where missing something is worse than being slow: rather hold the application back, at its start
-- and at its end, than let it run unseen; larger buffers; alerts as JSON, for a machine to collect.
return {
  extends = "audit",
  flags = {
    outputs = "alerts/json:stderr",

    -- A loaded machine may take longer than the default to begin watching.
    attach_timeout_ms = 5000,
    -- Below the 30 s that ECS leaves a container between SIGTERM and SIGKILL.
    shutdown_flush_ms = 10000,

    -- Room for long bursts of starts.
    ring_size_mib = 64,

    -- Long command lines and long lists of exceptions need longer thinking.
    rule_event_instructions = 1000000,
    rule_memory_mib = 64,
  },

  attention = {
    extends = true,
    -- Whom no entry speaks of: everybody but the application's first process and well-known servers.
    default = "calls",
    -- Also in the start-up phase.
    { names = { "sh", "bash", "dash", "ash", "curl", "wget" }, unless = { "root", "repeated" }, level = "calls" },
  },
}
