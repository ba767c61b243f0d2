local exceptions = require "moonwatch.exceptions"
local match = require "moonwatch.match"

--- Where the image's own libraries are, and names without a path, which the loader looks for there.
local ours = { "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/", "/usr/local/lib64/", "/opt/" }

local function leads_elsewhere(value)
  local at = 1
  while at <= #value do
    local stop = at
    while stop <= #value and value:sub(stop, stop) ~= ":" and value:sub(stop, stop) ~= " " do
      stop = stop + 1
    end
    local one = value:sub(at, stop - 1)
    local is_ours = one == "" or not match.contains(one, "/") or match.contains(one, "$LIB")
    for _, folder in ipairs(ours) do
      is_ours = is_ours or match.starts(one, folder)
    end
    if not is_ours then
      return true
    end
    at = stop + 1
  end
  return false
end

return {
  id = "ld_preload_env",
  summary = "Library from an odd place loaded into a program by its environment",
  why = "LD_PRELOAD and LD_AUDIT put code into any program: to hide, to listen, to run what is not to be seen.",
  on = { "process.exec" },
  severity = "medium",
  attack = { "T1574.006" },
  message = "{process.cmdline} was started with a library preloaded",
  false_positives = { "Tools that preload from their own folder (faketime, jemalloc of a build, profilers)" },
  where = { unless = "startup" },
  match = function(event)
    for _, variable in ipairs(event.process.env or {}) do
      if match.starts(variable, "LD_PRELOAD=") and leads_elsewhere(variable:sub(12)) then
        return true
      elseif match.starts(variable, "LD_AUDIT=") and leads_elsewhere(variable:sub(10)) then
        return true
      end
    end
    return false
  end,
  exceptions = { exceptions.package_managers },
  throttle = { by = { "process.exe" }, period_s = 300 },
  examples = {
    { expect = true, event = { process = { name = "ls", env = { "LD_PRELOAD=/tmp/x.so" } } } },
    { expect = true, event = { process = { name = "ls", env = { "LD_PRELOAD=libm.so /dev/shm/x" } } } },
    { expect = true, event = { process = { name = "ls", env = { "HOME=/", "LD_AUDIT=/var/tmp/x.so" } } } },
    { expect = false, event = { process = { name = "node", env = { "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2" } } } },
    { expect = false, event = { process = { name = "node", env = { "LD_PRELOAD=libjemalloc.so.2:" } } } },
    { expect = false, event = { process = { name = "node", env = { "PATH=/tmp", "LD_AUDIT=libx.so" } } } },
    { expect = false, event = { process = { name = "node" } } },
    { expect = false, event = { process = { name = "node", env = { "LD_PRELOAD=/usr/$LIB/libx.so" } } } },
    { expect = false, event = { process = { name = "node", env = { "LD_PRELOAD=libx.so::libm.so" } } } },
  },
}
