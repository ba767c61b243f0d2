local match = require "moonwatch.match"

return {
  id = "ptrace_inject",
  summary = "Process traced or written into by another",
  why = "Who traces a process reads its secrets and runs code in its name.",
  on = { "process.ptrace", "process.exec" },
  severity = "high",
  attack = { "T1055.008" },
  message = "{process.cmdline} traces {call.target.name} (pid {call.target_pid})",
  references = { "https://attack.mitre.org/techniques/T1055/008/" },
  false_positives = { "Somebody debugs the application in its container" },
  where = {
    { fields = { ["call.text"] = { "PTRACE_ATTACH", "PTRACE_SEIZE" } } },
    { calls = "process_vm_writev" },
    { names = { "gdb", "gdbserver", "strace", "ltrace", "gcore", "lldb" } },
  },
  match = function(event)
    if event.kind == "process.ptrace" then
      return true
    end
    local process = event.process
    return match.named(process, { gcore = true }) or match.has_arg(process, "-p", "--pid", "--attach", "attach")
      or match.contains(process.cmdline, " -p") or match.contains(process.cmdline, "--pid=")
  end,
  exceptions = { { reason = "moonwatch itself", programs = "moonwatch" } },
  throttle = { by = { "process", "call.target_pid" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "process.ptrace", process = { name = "x" },
      call = { name = "ptrace", text = "PTRACE_ATTACH", target_pid = 7 } } },
    { expect = true, event = { kind = "process.ptrace", process = { name = "x" },
      call = { name = "process_vm_writev", target_pid = 7 } } },
    { expect = true, event = { kind = "process.exec", process = { name = "gdb", argv = { "gdb", "-p", "7" } } } },
    { expect = true, event = { kind = "process.exec", process = { name = "gdb", argv = { "gdb", "--pid=7" } } } },
    { expect = true, event = { kind = "process.exec", process = { name = "strace", argv = { "strace", "-f", "-p7" } } } },
    { expect = true, event = { kind = "process.exec", process = { name = "gcore", argv = { "gcore", "7" } } } },
    { expect = false, event = { kind = "process.ptrace", process = { name = "x" }, call = { name = "ptrace", text = "PTRACE_TRACEME" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "gdb", argv = { "gdb", "./a.out" } } } },
    { expect = false, event = { kind = "process.ptrace", process = { name = "x" },
      call = { name = "process_vm_readv", target_pid = 7 } } },
  },
}
