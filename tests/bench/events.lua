-- The default profile, but nobody's system calls are watched: what attention `events` costs.
return {
  extends = "default",
  attention = { default = "events" },
}
