---@meta moonwatch.flags

--- Flags.  For the sensor's agent alone.
local flags = {}

--- Set one that may change while the sensor runs.  A higher source keeps its value.
---@param name string
---@param value string
---@param source "config"|"backend"
---@param origin string?  file it comes from
---@return boolean? ok
---@return string? message
---@return string? code  "EPERM": takes effect at the next start only, "ENOENT": there is none
---@return integer? errno
function flags.set(name, value, source, origin) end

--- Could it be set to that?  As set(), and nothing changes.
---@param name string
---@param value string
---@param source "config"|"backend"
---@return boolean? ok
---@return string? message
---@return string? code
function flags.check(name, value, source) end

---@param name string
---@return { name: string, live: boolean }?
function flags.find(name) end

--- Its value now.  Those that are live may change whenever a task waits.
---@param name string
---@return boolean|integer|string
function flags.get(name) end

--- Where it is from: "default", "profile", "backend", "configuration file", "flag file", "environment", "command line".
---@param name string
---@return string
function flags.source(name) end

return flags
