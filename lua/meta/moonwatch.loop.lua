---@meta moonwatch.loop

--- Tasks: coroutines that the event loop resumes.  What waits (sleep, tls.request, all of moonwatch.aws) lets its task wait, and
--- the script reads straight down.  It waits in the task itself, not in a coroutine within it.
local loop = {}

--- Run a function as a task until it ends; what it returns.  For commands: in the sensor the loop runs already.  A task that fails
--- beside it ends it, too.
---@param task fun(...): ...
---@param ... any
---@return any ...
function loop.run(task, ...) end

--- Begin another task.  It runs until it waits; then spawn returns.
---@param task fun(...)
---@param ... any
function loop.spawn(task, ...) end

--- Wait.
---@param ms number  at most a day
function loop.sleep(ms) end

--- Milliseconds, of a clock that is never set: for durations.
---@return number
function loop.now() end

--- Seconds since 1970, with their fraction.
---@return number
function loop.time() end

---@class moonwatch.Bell
local Bell = {}

--- Wait until it rings, or the time is over.  At once when it rang while nobody waited.
---@param ms number  a day at most
---@return boolean rang
function Bell:wait(ms) end

--- Whoever waits goes on, as soon as the running task waits.
function Bell:ring() end

---@return moonwatch.Bell
function loop.bell() end

return loop
