--- Checks of what file events and the spool need.
local proc = require "moonwatch.doctor.proc"

local INOTIFY <const> = "/proc/sys/fs/inotify/max_"

local function inotify()
  local watches, instances, queued =
    proc.number(INOTIFY .. "user_watches"), proc.number(INOTIFY .. "user_instances"), proc.number(INOTIFY .. "queued_events")
  if not watches or not instances then
    return "degraded", "the limits cannot be read: no inotify, or no /proc/sys; folders are looked at now and then",
      "mount /proc in this container"
  end
  local found = ("%d watches and %d instances of this user, %d events queued"):format(watches, instances, queued or 0)
  if watches < 8192 then
    return "degraded", found .. "; trees larger than a share of that are looked at now and then",
      "raise fs.inotify.max_user_watches on the host; on Fargate it cannot be changed, so watch fewer folders"
  end
  return "ok", found
end

local function state_dir(facts)
  if facts.state_dir == "" then
    return "degraded", facts.state_dir_note .. "; what is not delivered is lost when the sensor ends",
      "mount a volume that can be written to, and name it in --state_dir"
  end
  if facts.state_dir_note ~= "" then
    return "degraded", facts.state_dir_note, "mount a volume that can be written to, and name it in --state_dir"
  end
  return "ok", facts.state_dir
end

return {
  { name = "inotify", run = inotify },
  { name = "state folder", run = state_dir },
}
