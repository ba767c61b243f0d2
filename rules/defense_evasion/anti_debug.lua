return {
  id = "anti_debug",
  summary = "Program asks to be traced, to see whether it is",
  why = "Who has a tracer already is told so: malware asks before it shows what it is.",
  on = { "process.ptrace" },
  severity = "low",
  attack = { "T1622" },
  message = "{process.cmdline} asked to be traced",
  where = { fields = { ["call.text"] = "PTRACE_TRACEME" } },
  exceptions = {
    { reason = "debuggers start what they trace so", names = { "gdb", "gdbserver", "strace", "ltrace", "lldb*", "rr", "valgrind*", "dlv",
      "perf", "proot", "fakeroot*" } },
    { reason = "debuggers start what they trace so", parents = { "gdb", "gdbserver", "strace", "ltrace", "lldb*", "rr", "dlv", "proot" } },
  },
  throttle = { by = { "process.exe" }, period_s = 300 },
  examples = {
    { expect = true, event = { call = { name = "ptrace", text = "PTRACE_TRACEME" }, process = { name = "x" } } },
    { expect = false, event = { call = { name = "ptrace", text = "PTRACE_TRACEME" }, process = { name = "strace" } } },
    { expect = false, event = { call = { name = "ptrace", text = "PTRACE_TRACEME" }, process = { name = "sh",
      parent = { name = "gdb" } } } },
    { expect = false, event = { call = { name = "ptrace", text = "PTRACE_CONT" }, process = { name = "x" } } },
  },
}
