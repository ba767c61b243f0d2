local exceptions = require "moonwatch.exceptions"

return {
  id = "file_in_dev",
  summary = "Ordinary file made among the devices",
  why = "Below /dev nobody looks for files; it is writable, in memory, and gone after a restart.",
  on = { "file.create" },
  severity = "medium",
  attack = { "T1564" },
  message = "{process.name} made {file.path}: {process.cmdline}",
  where = { paths = "/dev/" },
  match = function(event)
    return not event.file.directory and (event.call == nil or event.call.name ~= "mknodat" and event.call.name ~= "mknod")
  end,
  exceptions = {
    { reason = "shared memory, terminals, queues", paths = { "/dev/shm/", "/dev/pts/", "/dev/mqueue/", "/dev/hugepages/",
      "/dev/fd/", "/dev/net/" } },
    exceptions.startup,
  },
  false_positives = { "Init systems that keep state there" },
  references = { "https://attack.mitre.org/techniques/T1564/" },
  examples = {
    { expect = true, event = { process = { name = "x" }, file = { path = "/dev/.udev.x" }, call = { name = "openat" } } },
    { expect = true, event = { file = { path = "/dev/x" } } },
    { expect = false, event = { file = { path = "/dev/shm/x" } } },
    { expect = false, event = { file = { path = "/dev/d", directory = true } } },
    { expect = false, event = { file = { path = "/dev/n" }, call = { name = "mknodat" } } },
    { expect = false, event = { file = { path = "/dev/n" }, call = { name = "mknod" } } },
  },
}
