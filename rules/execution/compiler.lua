local exceptions = require "moonwatch.exceptions"
local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local compilers = lists.set { "cc", "gcc", "g++", "c++", "cc1", "cc1plus", "clang", "clang++", "tcc", "ld", "collect2", "rustc", "ghc" }

return {
  id = "compiler",
  summary = "Compiler or linker started",
  why = "Images are built elsewhere; who compiles in a running container wants a program that nobody has seen.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1027.004" },
  message = "{process.parent.name} compiles: {process.cmdline}",
  where = { names = compilers },
  match = function(event)
    local process = event.process
    return not match.has_arg(process, "--version", "-v", "-dumpversion", "-print-search-dirs")
      and not match.named(process.parent, compilers) -- cc starts cc1, collect2 and ld; it was told already
  end,
  exceptions = {
    exceptions.startup,
    exceptions.package_managers,
  },
  throttle = { by = { "process.parent" }, period_s = 300 },
  false_positives = { "Images for development, and build agents" },
  references = { "https://attack.mitre.org/techniques/T1027/004/" },
  examples = {
    { expect = true, event = { process = { name = "gcc", argv = { "gcc", "-o", "/tmp/x", "x.c" } } } },
    { expect = true, event = { process = { name = "cc1", argv = { "cc1", "-quiet", "x.c" } } } },
    { expect = false, event = { process = { name = "cc1", argv = { "cc1", "-quiet", "x.c" }, parent = { name = "cc" } } } },
    { expect = false, event = { process = { name = "gcc", argv = { "gcc", "--version" } } } },
    { expect = false, event = { process = { name = "make", argv = { "make", "install" } } } },
    { expect = false, event = { process = { name = "gcc", argv = { "gcc", "x.c" }, lineage = { package_manager = true } } } },
    { expect = false, event = { phase = "startup", process = { name = "gcc", argv = { "gcc", "x.c" } } } },
  },
}
