-- Looking around.

---@type system.Acts
return {
  { "discovery_burst", "whoami; id; uname; hostname; ps", says = "asked" },
  { "task_metadata", "curl -s http://169.254.170.2/v4/x/task", says = "169.254.170.2/v4/x/task" },
  { "container_probing", "true </proc/1/cgroup; true </proc/self/mountinfo; true </proc/1/status", says = "/status" },
}
