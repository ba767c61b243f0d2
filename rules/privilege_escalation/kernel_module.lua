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
  where = { names = { "insmod", "modprobe", "kmod" } },
  match = function(event)
    local process = event.process
    local name = process.name
    return name == "insmod" or (name == "modprobe" and not match.has_arg(process, "-n", "--dry-run"))
      or (name == "kmod" and match.has_arg(process, "load"))
  end,
  examples = {
    { expect = true, event = { process = { name = "insmod", argv = { "insmod", "x.ko" } } } },
    { expect = false, event = { process = { name = "lsmod" } } },
    { expect = false, event = { process = { name = "modprobe", argv = { "modprobe", "-n", "x" } } } },
  },
}
