---@meta moonwatch.terminal

--- The terminal of standard input and output.  See core/script/lua_terminal.c.
local terminal = {}

--- Put back as it was found when it is closed, collected, or a signal ends the program.
---@class moonwatch.Terminal
local Terminal = {}

--- Every key at once, none with an effect of its own; or as it was found.
---@param is_raw boolean
function Terminal:set_raw(is_raw) end

--- Some bytes; else nil and "timeout", "resized" or "closed".
---@param timeout_ms integer?  for ever
---@return string? bytes
---@return string? why
function Terminal:read(timeout_ms) end

---@return integer columns
---@return integer rows
function Terminal:size() end

--- Stop until somebody continues us; not raw then.
function Terminal:suspend() end

--- May be called twice.
function Terminal:close() end

---@param fd integer
---@return boolean
function terminal.is_terminal(fd) end

---@return moonwatch.Terminal?
---@return string? message
---@return string? code
function terminal.open() end

--- From now on SIGINT ends the query that runs, not the program.
function terminal.catch_interrupts() end

--- Was there one since the last call?  Queries can run again.
---@return boolean
function terminal.take_interrupt() end

--- After a second, say on standard error how long it has been.
---@param note string
function terminal.begin_progress(note) end

function terminal.end_progress() end

--- In seconds; the first from some moment in the past.
---@return number real
---@return number user
---@return number system
function terminal.times() end

--- Add to a file that is ours alone; made when it is not there.
---@param path string
---@param text string
---@return boolean?
---@return string? message
---@return string? code
function terminal.append_private(path, text) end

return terminal
