local exceptions = require "moonwatch.exceptions"
local match = require "moonwatch.match"

local function is_library(path)
  local name = match.base(path)
  return match.ends(name, ".so") or match.contains(name, ".so.")
end

return {
  id = "write_lib_loader",
  summary = "Shared library or search path of the loader changed",
  why = "What is loaded into every program sees and does what each of them may.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink" },
  severity = "high",
  attack = { "T1574.006" },
  message = "{file.path} was written by {process.cmdline}",
  references = { "https://attack.mitre.org/techniques/T1574/006/" },
  false_positives = { "Agents that install a library when they start late" },
  where = { categories = { "libraries", "dynamic_loader" }, is = "written", unless = "startup" },
  match = function(event)
    local path = event.file.path
    -- ld.so.preload has a rule of its own: loader_preload.
    return path ~= "/etc/ld.so.preload"
      and (is_library(path) or match.starts(path, "/etc/ld.so.conf") or match.starts(path, "/etc/ld-musl-"))
  end,
  exceptions = {
    exceptions.package_managers,
    { reason = "the loader's own cache", names = "ldconfig" },
  },
  throttle = { by = { "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { kind = "file.create", process = { name = "cp" },
      file = { path = "/usr/lib/x86_64-linux-gnu/libpam.so.0", category = "libraries", found_by = "call" } } },
    { expect = true, event = { kind = "file.modify", process = { name = "sh" },
      file = { path = "/etc/ld.so.conf.d/x.conf", category = "dynamic_loader", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.modify", process = { name = "ldconfig" },
      file = { path = "/etc/ld.so.cache", category = "dynamic_loader", closed = true, found_by = "inotify" } } },
    { expect = false, event = { kind = "file.create", process = { name = "cp" },
      file = { path = "/usr/lib/python3/x.py", category = "libraries", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", process = { name = "dpkg", lineage = { package_manager = true } },
      file = { path = "/usr/lib/libx.so.1", category = "libraries", found_by = "call" } } },
    { expect = true, event = { kind = "file.create", process = { name = "cp" },
      file = { path = "/usr/lib/libx.so", category = "libraries", found_by = "call" } } },
    { expect = true, event = { kind = "file.create", process = { name = "cp" },
      file = { path = "/etc/ld-musl-x86_64.path", category = "dynamic_loader", found_by = "call" } } },
    { expect = false, event = { kind = "file.create", process = { name = "cp" },
      file = { path = "/etc/ld.so.preload", category = "dynamic_loader", found_by = "call" } } },
    { note = "nobody knows who", expect = true, event = { kind = "file.create",
      file = { path = "/usr/lib/libx.so", category = "libraries", size = 9, found_by = "inotify" } } },
  },
}
