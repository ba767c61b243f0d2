return {
  id = "bpf",
  summary = "Program put into the kernel by bpf",
  why = "Such programs see and change what all processes do; containers are not allowed them, and hiding needs them.",
  on = { "process.bpf", "process.exec" },
  severity = "medium",
  attack = { "T1014" },
  message = "{process.cmdline} uses bpf",
  where = {
    { calls = "bpf" },
    { names = { "bpftool", "bpftrace", "bpfcc-*" } },
  },
  match = function(event)
    -- BPF_PROG_LOAD of linux/bpf.h
    return event.kind == "process.exec" or event.call.number == 5
  end,
  throttle = { by = { "process.exe" }, period_s = 300 },
  examples = {
    { expect = true, event = { kind = "process.bpf", process = { name = "x" }, call = { name = "bpf", number = 5, error = "EPERM" } } },
    { expect = true, event = { kind = "process.exec", process = { name = "bpftool", argv = { "bpftool", "prog" } } } },
    { expect = false, event = { kind = "process.bpf", process = { name = "x" }, call = { name = "bpf", number = 1 } } },
    { expect = false, event = { kind = "process.exec", process = { name = "bpfilter" } } },
  },
}
