---@meta moonwatch.signals

--- Being asked to end, for commands that run for long.
local signals = {}

--- From now on SIGTERM and SIGINT do not end the process, but are kept for wait().
function signals.hold() end

--- The task waits until one of them comes.
---@return "SIGTERM"|"SIGINT"
function signals.wait() end

return signals
