local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"
local signs = { "socket", "pty.spawn", "subprocess", "base64", "exec(", "/bin/sh", "/bin/bash", "fsockopen" }

return {
  id = "interpreter_oneliner",
  summary = "Interpreter given a program that opens a socket or a shell",
  why = "Intruders bring their tools as one line of the interpreter that is already there.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1059.006", "T1059" },
  message = "{process.parent.name} ran {process.cmdline}",
  false_positives = { "Start scripts that wait for a server by python -c" },
  where = { names = lists.interpreters, arguments = { "-c", "-e", "-r" }, cmdline = signs },
  exceptions = { exceptions.health_checks },
  examples = {
    { expect = true, event = { process =
      { name = "python3", argv = { "python3", "-c", "import socket,os;os.dup2(s.fileno(),0)" } } } },
    { expect = true, event = { process =
      { name = "python3.11", argv = { "python3.11", "-c", "import pty; pty.spawn(1)" } } } },
    { expect = false, event = { process = { name = "python3", argv = { "python3", "-c", "print(1)" } } } },
    { expect = false, event = { process = { name = "python3", argv = { "python3", "app.py", "socket" } } } },
    { note = "a health check", expect = false, event = { process = { name = "php", argv = { "php", "-r", "fsockopen('127.0.0.1', 9000);" },
      observed_late = true } } },
  },
}
