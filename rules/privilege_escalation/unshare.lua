local match = require "moonwatch.match"

--- sched.h
local CLONE_NEWUSER <const> = 0x10000000

return {
  id = "unshare",
  summary = "User namespace made",
  why = "In a namespace of its own a process is root, and reaches parts of the kernel where holes are found.",
  on = { "process.exec", "process.unshare" },
  severity = "medium",
  attack = { "T1611" },
  message = "{process.cmdline} makes a namespace",
  false_positives = { "Sandboxes of browsers, builders of images without root" },
  where = {
    { names = "unshare" },
    { calls = "unshare" },
  },
  match = function(event)
    local process = event.process
    if event.kind == "process.unshare" then
      return (event.call.number or 0) & CLONE_NEWUSER ~= 0 and not match.named(process, { unshare = true })
    end
    return #(process.argv or {}) > 1 and not match.has_arg(process, "--help", "-h", "--version", "-V")
  end,
  exceptions = { { reason = "sandboxes of their own", names = { "chrome*", "chromium*", "bwrap", "firefox", "electron", "buildah",
    "podman", "rootlesskit", "buildkitd" } } },
  examples = {
    { expect = true, event = { kind = "process.exec", process = { name = "unshare", argv = { "unshare", "-Ur", "sh" } } } },
    { expect = true, event = { kind = "process.unshare", process = { name = "x" }, call = { name = "unshare", number = 0x10020000 } } },
    { expect = false, event = { kind = "process.unshare", process = { name = "x" }, call = { name = "unshare", number = 0x400 } } },
    { expect = false, event = { kind = "process.unshare", process = { name = "unshare" },
      call = { name = "unshare", number = 0x10000000 } } },
    { expect = false, event = { kind = "process.unshare", process = { name = "chrome" },
      call = { name = "unshare", number = 0x10000000 } } },
    { expect = false, event = { kind = "process.exec", process = { name = "unshare", argv = { "unshare", "--help" } } } },
    { expect = false, event = { kind = "process.unshare", process = { name = "x" }, call = { name = "unshare" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "unshare", argv = { "unshare" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "unshare" } } },
  },
}
