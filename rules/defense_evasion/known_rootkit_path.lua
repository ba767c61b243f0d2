local exceptions = require "moonwatch.exceptions"

return {
  id = "known_rootkit_path",
  summary = "File where rootkits keep theirs",
  why = "Kits that hide processes and files put their own parts where they always did; nothing else has files of these names.",
  on = { "file.create", "file.modify", "file.rename", "file.link", "file.symlink", "file.attributes", "process.exec" },
  severity = "high",
  attack = { "T1014" },
  message = "rootkits use such names: {file.path}, {process.cmdline}",
  where = {
    { paths = { "/dev/.udev.d/", "/dev/.lib/", "/dev/ptyp", "/dev/ptyr", "/dev/xdta", "/dev/tux/", "/dev/ida/.inet/", "/dev/shm/.kit/",
      "/usr/include/hidesyms.h", "/usr/lib/.libselinux/", "/usr/lib/.kinetic/", "/usr/lib/libymv.so.3",
      "/lib/libjynx.so", "/lib/libncom.so.4.0.1", "/usr/lib/libdiamorphine.so", "*/diamorphine.ko",
      "*/reptile.ko", "*/jynx2.so", "*/azazel.so", "*/libprocesshider.so", "*/beurk.so", "*/vlany.so", "*/bdvl.so" } },
    { exes = { "*/reptile_cmd", "*/reptile_shell", "/dev/.udev.d/*", "/usr/lib/.libselinux/*", "/dev/ida/.inet/*" } },
  },
  exceptions = { exceptions.package_managers },
  throttle = { by = { "file.path" }, period_s = 300 },
  false_positives = { "Tests of scanners, which put such files there" },
  references = { "https://attack.mitre.org/techniques/T1014/" },
  examples = {
    { expect = true, event = { kind = "file.create", process = { name = "cp" }, file = { path = "/usr/lib/libprocesshider.so" } } },
    { expect = true, event = { kind = "process.exec", process = { name = "reptile_cmd", exe = "/opt/reptile_cmd" } } },
    { expect = false, event = { kind = "file.create", process = { name = "cp" }, file = { path = "/usr/lib/libproc.so" } } },
    { expect = false, event = { kind = "file.create", process = { name = "dpkg", lineage = { package_manager = true } },
      file = { path = "/usr/include/hidesyms.h" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "reptile", exe = "/usr/bin/reptile" } } },
  },
}
