local match = require "moonwatch.match"

return {
  id = "mount",
  summary = "File system mounted",
  why = "Containers get their mounts from outside; who mounts inside wants the host's disk, or to hide something.",
  on = { "process.exec", "process.mount" },
  severity = "medium",
  attack = { "T1611" },
  message = "{process.cmdline} mounts {file.path}",
  false_positives = { "Images that mount buckets or NFS themselves, with SYS_ADMIN" },
  where = {
    { names = { "mount", "debugfs", "mount.*" }, unless = "startup" },
    { calls = { "mount", "move_mount", "fsmount", "open_tree" }, unless = "startup" },
  },
  match = function(event)
    local process = event.process
    if event.kind == "process.mount" then
      return not match.named(process, { mount = true }) -- told by its start
    end
    return #(process.argv or {}) > 1 and not match.has_arg(process, "-l", "-h", "--help", "-V", "--version", "--show-labels")
  end,
  examples = {
    { expect = true, event = { kind = "process.exec", process = { name = "mount", argv = { "mount", "/dev/xvda1", "/mnt" } } } },
    { expect = true, event = { kind = "process.exec", process = { name = "debugfs", argv = { "debugfs", "/dev/sda1" } } } },
    { expect = true, event = { kind = "process.mount", call = { name = "mount" }, process = { name = "x" }, file = { path = "/mnt" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "mount", argv = { "mount" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "mount", argv = { "mount", "-l" } } } },
    { expect = false, event = { kind = "process.mount", call = { name = "mount" }, process = { name = "mount" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "mountpoint", argv = { "mountpoint", "/" } } } },
    { expect = false, event = { kind = "process.mount", call = { name = "umount2" }, process = { name = "x" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "mount" } } },
  },
}
