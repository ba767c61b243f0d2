local exceptions = require "moonwatch.exceptions"
local match = require "moonwatch.match"

return {
  id = "dropped_binary",
  summary = "File made executable where programs do not belong",
  why = "What was fetched is made a program before it is run; in a folder for everybody that is seldom meant well.",
  on = { "file.attributes" },
  severity = "medium",
  attack = { "T1105", "T1036" },
  message = "{process.cmdline} made {file.path} executable",
  false_positives = { "Builds and installers that work in /tmp" },
  where = { paths = { "/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/dev/mqueue/", "/var/www/", "/usr/share/nginx/" },
    unless = { "failed", "startup" } },
  match = function(event)
    local file, call = event.file, event.call
    return call ~= nil and match.contains(call.name, "chmod") and file.directory ~= true and (file.mode or 0) & 73 ~= 0 -- 0111
      and event.process ~= nil
  end,
  exceptions = {
    exceptions.package_managers,
    { reason = "compilers make programs", names = { "ld", "ld.bfd", "ld.gold", "ld.lld", "collect2", "go", "rustc", "cargo", "cc*", "gcc*",
      "clang*", "tcc", "node-gyp", "make" } },
  },
  throttle = { by = { "file.path" }, period_s = 60 },
  examples = {
    { expect = true, event = { process = { name = "chmod" }, file = { path = "/tmp/x", mode = 33261 },
      call = { name = "fchmodat", result = 0 } } },
    { expect = false, event = { process = { name = "chmod" }, file = { path = "/tmp/x", mode = 33188 },
      call = { name = "fchmodat", result = 0 } } },
    { expect = false, event = { process = { name = "chmod" }, file = { path = "/tmp/x", mode = 33261 },
      call = { name = "fchmodat", error = "EPERM" } } },
    { expect = false, event = { process = { name = "ld" }, file = { path = "/tmp/a.out", mode = 33261 },
      call = { name = "fchmod", result = 0 } } },
    { expect = false, event = { process = { name = "chown" }, file = { path = "/tmp/x", mode = 33261 },
      call = { name = "fchownat", result = 0 } } },
    { expect = false, event = { process = { name = "chmod" }, file = { path = "/srv/x", mode = 33261 },
      call = { name = "fchmodat", result = 0 } } },
    { expect = false, event = { file = { path = "/tmp/x", mode = 33261, found_by = "scan" } } },
    { expect = false, event = { process = { name = "mkdir" }, file = { path = "/tmp/d", mode = 16877, directory = true },
      call = { name = "fchmodat", result = 0 } } },
    { expect = false, event = { process = { name = "chmod" }, file = { path = "/tmp/x" }, call = { name = "fchmodat", result = 0 } } },
    { expect = false, event = { file = { path = "/tmp/x", mode = 33261 }, call = { name = "fchmodat", result = 0 } } },
  },
}
