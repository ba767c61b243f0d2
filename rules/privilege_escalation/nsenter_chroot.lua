return {
  id = "nsenter_chroot",
  summary = "Attempt to enter another namespace or root",
  why = "It fails on Fargate; whoever tries believes to be on a host that can be escaped to.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1611" },
  message = "{process.parent.name} ran {process.cmdline}",
  where = { { names = "nsenter" }, { names = "chroot", cmdline = { "/proc/1/root", " /host" } } },
  examples = {
    { expect = true, event = { process = { name = "nsenter", argv = { "nsenter", "-t", "1", "-m" } } } },
    { expect = true, event = { process = { name = "chroot", argv = { "chroot", "/proc/1/root" } } } },
    { expect = false, event = { process = { name = "chroot", argv = { "chroot", "/srv/jail" } } } },
    { expect = false, event = { process = { name = "enter" } } },
  },
}
