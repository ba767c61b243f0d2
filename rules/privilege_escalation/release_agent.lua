return {
  id = "release_agent",
  summary = "Program that the host runs named in a cgroup",
  why = "What stands in release_agent is run by the host's kernel, outside of any container: the oldest way out.",
  on = { "file.open", "file.create", "file.modify" },
  severity = "critical",
  attack = { "T1611" },
  message = "{process.cmdline} writes {file.path}",
  references = { "https://attack.mitre.org/techniques/T1611/", "https://nvd.nist.gov/vuln/detail/CVE-2022-0492" },
  where = {
    { paths = { "*/release_agent", "*/notify_on_release" }, is = "write" },
    { paths = { "*/release_agent", "*/notify_on_release" }, is = "written" },
  },
  examples = {
    { expect = true, event = { kind = "file.open", file = { path = "/sys/fs/cgroup/rdma/release_agent", write = true } } },
    { note = "that it failed does not matter", expect = true, event = { kind = "file.open",
      file = { path = "/tmp/cgrp/x/notify_on_release", write = true }, call = { error = "EACCES" } } },
    { expect = true, event = { kind = "file.modify", file = { path = "/tmp/cgrp/release_agent", found_by = "call" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/sys/fs/cgroup/rdma/release_agent" } } },
    { expect = false, event = { kind = "file.open", file = { path = "/tmp/release_agents", write = true } } },
  },
}
