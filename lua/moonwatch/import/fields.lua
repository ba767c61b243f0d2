--- What fields of others are among ours, and what they are when nothing of the kind is known.

local condition = require "moonwatch.import.condition"

local M = {}

--- Falco's field -> path of an event's.
M.falco = {
  ["proc.name"] = "process.name", ["proc.exe"] = "process.execfn", ["proc.exepath"] = "process.exe",
  ["proc.cmdline"] = "process.cmdline", ["proc.exeline"] = "process.cmdline", ["proc.args"] = "process.cmdline",
  ["proc.cwd"] = "process.cwd", ["proc.pid"] = "process.pid", ["proc.vpid"] = "process.pid",
  ["proc.ppid"] = "process.ppid", ["proc.pname"] = "process.parent.name", ["proc.pexepath"] = "process.parent.exe",
  ["proc.pexe"] = "process.parent.execfn", ["proc.pcmdline"] = "process.parent.cmdline",
  ["proc.aname"] = "process.ancestors.name", ["proc.sid"] = "process.sid", ["proc.env"] = "process.env",
  ["user.name"] = "process.user", ["user.uid"] = "process.euid", ["group.gid"] = "process.egid",
  ["group.name"] = "process.group",
  ["fd.name"] = "file.path", ["fs.path.name"] = "file.path", ["fs.path.target"] = "file.path",
  ["fs.path.source"] = "file.old_path", ["fd.nameraw"] = "file.path", ["evt.arg.path"] = "file.path",
  ["evt.arg.name"] = "file.path", ["fd.sip"] = "socket.remote_address", ["fd.rip"] = "socket.remote_address",
  ["fd.lip"] = "socket.local_address", ["fd.cip"] = "socket.local_address", ["fd.sport"] = "socket.remote_port",
  ["fd.rport"] = "socket.remote_port", ["fd.lport"] = "socket.local_port", ["fd.cport"] = "socket.local_port",
  ["fd.l4proto"] = "socket.protocol", ["fd.net"] = "socket.remote_address", ["fd.snet"] = "socket.remote_address",
  ["fd.rnet"] = "socket.remote_address", ["container.image.repository"] = "container.image",
  ["container.image"] = "container.image", ["container.name"] = "container.name", ["container.id"] = "container.id",
}

--- Sigma's, of Linux: category -> field -> path.
local process = {
  Image = "process.exe", CommandLine = "process.cmdline", CurrentDirectory = "process.cwd", User = "process.user",
  ParentImage = "process.parent.exe", ParentCommandLine = "process.parent.cmdline", ProcessId = "process.pid",
  ParentProcessId = "process.ppid", OriginalFileName = "process.name", ParentUser = "process.parent.user",
}
local function with(fields)
  for name, path in pairs(process) do
    fields[name] = fields[name] or path
  end
  return fields
end
M.sigma = {
  process_creation = process,
  file_event = with { TargetFilename = "file.path" },
  file_access = with { TargetFilename = "file.path", FileName = "file.path" },
  file_delete = with { TargetFilename = "file.path" },
  file_rename = with { TargetFilename = "file.path", SourceFilename = "file.old_path" },
  network_connection = with {
    DestinationIp = "socket.remote_address", DestinationPort = "socket.remote_port", SourceIp = "socket.local_address",
    SourcePort = "socket.local_port", Protocol = "socket.protocol",
  },
}

M.sigma_kinds = {
  process_creation = { "process.exec" },
  file_event = { "file.create", "file.modify" },
  file_access = { "file.open" },
  file_delete = { "file.delete" },
  file_rename = { "file.rename" },
  network_connection = { "socket.connect" },
}

local NUMBERS = {
  ["process.pid"] = true, ["process.ppid"] = true, ["process.euid"] = true, ["process.egid"] = true, ["process.sid"] = true,
  ["socket.remote_port"] = true, ["socket.local_port"] = true, ["file.mode"] = true,
}

function M.is_number(path)
  return NUMBERS[path] or false
end

--- Falco's names of system calls -> our kinds.
local calls = {
  ["process.exec"] = { "execve", "execveat" },
  ["process.fork"] = { "fork", "vfork", "clone", "clone3" },
  ["process.exit"] = { "procexit", "exit_group" },
  ["process.ptrace"] = { "ptrace", "process_vm_readv", "process_vm_writev" },
  ["process.memfd"] = { "memfd_create" },
  ["process.mount"] = { "mount", "umount", "umount2" },
  ["process.setns"] = { "setns" },
  ["process.unshare"] = { "unshare" },
  ["process.bpf"] = { "bpf" },
  ["process.module"] = { "init_module", "finit_module", "delete_module" },
  ["process.dup-to-stdio"] = { "dup", "dup2", "dup3" },
  ["process.setuid"] = { "setuid", "setgid", "setresuid", "setresgid", "setreuid", "setregid" },
  ["process.kill"] = { "kill", "tkill", "tgkill" },
  ["file.open"] = { "open", "openat", "openat2", "creat", "open_by_handle_at" },
  ["file.create"] = { "mkdir", "mkdirat", "mknod", "mknodat" },
  ["file.delete"] = { "unlink", "unlinkat", "rmdir" },
  ["file.rename"] = { "rename", "renameat", "renameat2" },
  ["file.link"] = { "link", "linkat" },
  ["file.symlink"] = { "symlink", "symlinkat" },
  ["file.attributes"] = { "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown", "utimensat", "truncate" },
  ["socket.connect"] = { "connect", "sendto", "sendmsg" },
  ["socket.bind"] = { "bind" },
  ["socket.listen"] = { "listen" },
  ["socket.accept"] = { "accept", "accept4" },
}
M.kind_of_call = {}
for kind, names in pairs(calls) do
  for _, name in ipairs(names) do
    M.kind_of_call[name] = kind
  end
end

--- Is that part of events of this kind?
function M.has(kind, path)
  local part = path:match "^[^.]+"
  if part == "file" then
    return kind:find("^file%.") ~= nil or kind == "process.mount"
  elseif part == "socket" then
    return kind:find("^socket%.") ~= nil or kind == "process.dup-to-stdio"
  end
  return true
end

--- The condition as it is for one kind of event: tests of the kind are known, and so is what it does not have.
function M.for_kind(one, kind)
  if one.op == "kinds" then
    return { op = one[kind] and "always" or "never" }
  elseif one.op == "and" or one.op == "or" then
    local list = {}
    for i, part in ipairs(one) do
      list[i] = M.for_kind(part, kind)
    end
    return one.op == "and" and condition.all(list) or condition.any(list)
  elseif one.op == "not" then
    return condition.no(M.for_kind(one[1], kind))
  elseif one.op == "test" and not M.has(kind, one.field) then
    return { op = "never" }
  end
  return one
end

--- Kinds that a test of the kind names anywhere.
function M.named_kinds(one, found)
  if one.op == "kinds" then
    for kind in pairs(one) do
      if kind ~= "op" then
        found[kind] = true
      end
    end
  end
  for _, part in ipairs(one) do
    M.named_kinds(part, found)
  end
  return found
end

return M
