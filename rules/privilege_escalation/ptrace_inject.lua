local match = require "moonwatch.match"

local debuggers = { gdb = true, gdbserver = true, strace = true, ltrace = true, gcore = true, lldb = true }

--- A debugger that was told whom to attach to.
local function attaches(process)
  return match.named(process, debuggers) and (match.named(process, { gcore = true })
    or match.has_arg(process, "-p", "--pid", "--attach", "attach") or match.contains(process.cmdline, " -p")
    or match.contains(process.cmdline, "--pid="))
end

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
    { names = debuggers },
  },
  match = function(event)
    -- What a debugger then does was told by its start.
    return attaches(event.process) == (event.kind == "process.exec")
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
    { note = "told by its start", expect = false, event = { kind = "process.ptrace",
      process = { name = "gdb", argv = { "gdb", "-p", "7" } }, call = { name = "ptrace", text = "PTRACE_ATTACH", target_pid = 7 } } },
    { expect = false, event = { kind = "process.ptrace", process = { name = "x" },
      call = { name = "process_vm_readv", target_pid = 7 } } },
  },
}
