local lists = require "moonwatch.lists"
local match = require "moonwatch.match"

local fetchers = lists.set { "curl", "wget", "nc", "ncat", "netcat", "socat", "ftp", "tftp", "scp", "sftp", "rsync", "aws" }

--- What is run: a script is not what the kernel executes, but its shell; the program of a loader likewise.
local function path_of(process)
  local path = process.script or process.program
  if path or process.dropped then
    return path or process.exe
  end
  -- It is here as a shell or an interpreter, of the image.
  local argument = match.first_argument(process)
  if not argument or match.starts(argument, "/") then
    return argument
  elseif match.starts(argument, "./") then
    argument = argument:sub(3)
  end
  return ("%s/%s"):format(process.cwd or "", argument)
end

local LONG <const> = "/srv/a-folder-with-a-long-name/a-folder-with-a-long-name/a-folder-with-a-long-name/" ..
  "a-folder-with-a-long-name/a-folder-with-a-long-name/a-folder-with-a-long-name/"

return {
  id = "download_and_run",
  summary = "File downloaded, then run",
  why = "What a tool has just fetched from the network and is run at once came with nobody's image.",
  on = { "file.create", "file.modify", "process.exec" },
  severity = "high",
  attack = { "T1105", "T1204.002" },
  message = "{process.parent.name} ran what had just been downloaded: {process.cmdline} ({process.exe})",
  where = { { names = fetchers, fields = { ["file.path"] = "*" } }, { is = "dropped" }, { names = { lists.shells, lists.interpreters } } },
  memory = { scope = "rule", ttl_s = 120 },
  match = function(event, memory)
    local process, file = event.process, event.file
    if file then
      if file.path and match.named(process, fetchers) then
        memory.set(file.path, true)
      end
      return false
    end
    local path = path_of(process)
    return path ~= nil and memory.get(path) == true
  end,
  false_positives = { "Programs that update themselves by curl" },
  references = { "https://attack.mitre.org/techniques/T1105/" },
  examples = {
    { expect = true, before = { { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" } } },
      event = { kind = "process.exec", process = { name = "x", exe = "/tmp/x", dropped = true } } },
    { expect = false, before = { { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/y" } } },
      event = { kind = "process.exec", process = { name = "x", exe = "/tmp/x", dropped = true } } },
    { note = "a script", expect = true, before = { { kind = "file.create", process = { name = "wget" }, file = { path = "/tmp/x.sh" } } },
      event = { kind = "process.exec", process = { name = "x.sh", exe = "/usr/bin/dash", script = "/tmp/x.sh", dropped = true } } },
    { expect = false, before = { { kind = "file.create", process = { name = "curl" }, file = { path = "/tmp/x" } } },
      event = { kind = "process.exec", process = { name = "x", dropped = true } } },
    { note = "a script that is given to a shell", expect = true, before = { { kind = "file.create", process = { name = "curl" },
      file = { path = "/srv/x.sh" } } }, event = { kind = "process.exec", process = { name = "sh", exe = "/usr/bin/dash",
      argv = { "sh", "-x", "/srv/x.sh" } } } },
    { expect = true, before = { { kind = "file.create", process = { name = "curl" }, file = { path = "/srv/x.py" } } },
      event = { kind = "process.exec", process = { name = "python3", argv = { "python3", "./x.py" }, cwd = "/srv" } } },
    { expect = false, before = { { kind = "file.create", process = { name = "curl" }, file = { path = "/srv/x.py" } } },
      event = { kind = "process.exec", process = { name = "python3", argv = { "python3", "x.py" } } } },
    { expect = false, event = { kind = "process.exec", process = { name = "python3", argv = { "python3", "x.py" }, cwd = "/srv" } } },
    { expect = false, event = { kind = "process.exec", process = { name = "bash", exe = "/usr/bin/bash", argv = { "bash" } } } },
    { note = "a long name", expect = true, before = { { kind = "file.create", process = { name = "curl" },
      file = { path = LONG .. "x" } } }, event = { kind = "process.exec", process = { name = "x", exe = LONG .. "x", dropped = true } } },
    { expect = false, before = { { kind = "file.create", process = { name = "curl" }, file = { path = LONG .. "x" } } },
      event = { kind = "process.exec", process = { name = "y", exe = LONG .. "y", dropped = true } } },
    { note = "a program given to a loader", expect = true, before = { { kind = "file.create", process = { name = "curl" },
      file = { path = "/srv/x" } } }, event = { kind = "process.exec", process = { name = "ld.so", exe = "/usr/lib/ld.so",
      program = "/srv/x", dropped = true } } },
    { expect = false, event = { kind = "file.modify", process = { name = "curl", dropped = true }, file = { hashed = 0 } } },
    { note = "another that was dropped writes, too", expect = false, before = { { kind = "file.modify", process = { name = "y",
      dropped = true }, file = { path = "/tmp/x" } } },
      event = { kind = "process.exec", process = { name = "x", exe = "/tmp/x", dropped = true } } },
    { expect = false, before = { { kind = "file.create", process = { name = "tar" }, file = { path = "/tmp/x" } } },
      event = { kind = "process.exec", process = { name = "x", exe = "/tmp/x", dropped = true } } },
  },
}
