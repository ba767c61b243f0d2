local exceptions = require "moonwatch.exceptions"

return {
  id = "timestomp",
  summary = "Time of a program's file set back",
  why = "A file with the times of its neighbours is not looked at.",
  on = { "process.exec" },
  severity = "low",
  attack = { "T1070.006" },
  message = "{process.parent.name} ran {process.cmdline}",
  where = { names = { "touch" }, arguments = { "-t", "-r", "-d", "--reference*", "--date*" }, cmdline = { " /bin/", " /sbin/",
    " /usr/bin/", " /usr/sbin/", " /lib/", " /usr/lib/", " /etc/", " /tmp/.", " /dev/shm/", " /var/www/" } },
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  false_positives = { "Builds that want the same times each time" },
  references = { "https://attack.mitre.org/techniques/T1070/006/" },
  examples = {
    { expect = true, event = { process = { name = "touch", argv = { "touch", "-r", "/bin/ls", "/bin/x" } } } },
    { expect = true, event = { process = { name = "touch", argv = { "touch", "--date=2020-01-01", "/etc/x" } } } },
    { expect = false, event = { process = { name = "touch", argv = { "touch", "/etc/x" } } } },
    { expect = false, event = { process = { name = "touch", argv = { "touch", "-t", "202001010000", "/srv/x" } } } },
    { expect = false, event = { phase = "startup", process = { name = "touch", argv = { "touch", "-r", "/bin/ls", "/bin/x" } } } },
  },
}
