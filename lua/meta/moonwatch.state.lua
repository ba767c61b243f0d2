---@meta moonwatch.state

--- Small files of the agent's own in the state folder, up to 16 MiB.  For the sensor's agent alone.
local state = {}

---@param name string  small letters, digits, "_", "-" and "."
---@return string? text
---@return string? message
---@return string? code  "ENOENT": there is none, or no state folder
function state.read(name) end

--- Mode 0600, and there whole or not at all.
---@param name string
---@param text string
---@return boolean? ok
---@return string? message
---@return string? code
function state.write(name, text) end

---@param name string
function state.remove(name) end

--- Where it is; nil without a state folder.
---@param name string
---@return string?
function state.path(name) end

return state
