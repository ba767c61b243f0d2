local match = require "moonwatch.match"

return {
  id = "kernel_module",
  summary = "Attempt to load a kernel module",
  why = "A container has no business with the kernel's modules; the attempt shows what " ..
    "is wanted.",
  on = { "process.exec" },
  severity = "high",
  attack = { "T1547.006" },
  message = "{process.parent.name} ran {process.cmdline}",
  where = {
    { names = { "insmod", "modprobe" } },
    { names = "kmod", arguments = "load" },
  },
  match = function(event)
    return not match.has_arg(event.process, "-n", "--dry-run")
  end,
  examples = {
    { expect = true, event = { process = { name = "insmod", argv = { "insmod", "x.ko" } } } },
    { expect = false, event = { process = { name = "lsmod" } } },
    { expect = false, event = { process = { name = "modprobe", argv = { "modprobe", "-n", "x" } } } },
    { expect = true, event = { process = { name = "modprobe", argv = { "modprobe", "x" } } } },
    { expect = true, event = { process = { name = "kmod", argv = { "kmod", "load", "x" } } } },
    { expect = false, event = { process = { name = "kmod", argv = { "kmod", "list" } } } },
  },
}
