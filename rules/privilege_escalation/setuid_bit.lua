local match = require "moonwatch.match"

--- "u+s", "+s", "ug=rxs", "g+w,u-x+s".  What sets the group's alone (g+s, 2775) is how folders are shared.
local sets_owner = match.regex [[(?:^|,)(?:[go]*[ua][ugoa]*)?(?:[-+=][rwxXst]*)*[+=][rwxXt]*s]]

local function sets_id(mode)
  local digits = tonumber(mode, 8)
  if digits then
    return digits & 0x800 ~= 0 -- 04000
  end
  return sets_owner(mode)
end

return {
  id = "setuid_bit",
  summary = "Program given the rights of its owner",
  why = "A setuid program, or one with capabilities, is a way back to root that outlives the hole.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1548.001" },
  message = "{process.parent.name} ran {process.cmdline} as {process.user}",
  where = { names = { "chmod", "setcap" } },
  match = function(event)
    local process = event.process
    local mode = process.name == "chmod" and match.first_argument(process)
    return (mode and sets_id(mode)) or (process.name == "setcap" and not match.has_arg(process, "-r", "-v"))
  end,
  examples = {
    { expect = true, event = { process = { name = "chmod", argv = { "chmod", "u+s", "/tmp/sh" } } } },
    { expect = true, event = { process = { name = "chmod", argv = { "chmod", "-v", "4755", "/tmp/sh" } } } },
    { expect = true, event = { process =
      { name = "setcap", argv = { "setcap", "cap_setuid+ep", "/usr/bin/python3" } } } },
    { expect = false, event = { process = { name = "chmod", argv = { "chmod", "0755", "/tmp/sh" } } } },
    { expect = false, event = { process = { name = "chmod", argv = { "chmod", "1777", "/tmp" } } } },
    { expect = false, event = { process = { name = "chmod", argv = { "chmod", "+x", "/srv/s.sh" } } } },
    { expect = false, event = { process = { name = "chmod", argv = { "chmod", "g-s", "/srv" } } } },
    { expect = true, event = { process = { name = "chmod", argv = { "chmod", "ug=rxs", "/tmp/sh" } } } },
    { expect = true, event = { process = { name = "chmod", argv = { "chmod", "g+w,u-x+s", "/tmp/sh" } } } },
    { note = "folders that are shared", expect = false, event = { process =
      { name = "chmod", argv = { "chmod", "03775", "/run/postgresql" } } } },
    { expect = false, event = { process = { name = "chmod", argv = { "chmod", "u=rwx,g=rxs", "/srv" } } } },
    { expect = false, event = { process = { name = "setcap", argv = { "setcap", "-r", "/tmp/sh" } } } },
    { expect = false, event = { process = { name = "chmod", argv = { "chmod" } } } },
    { expect = false, event = { process = { name = "chmod", argv = { "chmod", "a=rx", "/tmp/sh" } } } },
  },
}
