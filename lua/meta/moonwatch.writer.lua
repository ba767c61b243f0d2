---@meta moonwatch.writer

--- Lines to a descriptor; nothing here ever waits.  See core/loop/writer.h.
---@class moonwatch.Writer
local Writer = {}

--- Add a line.  When the buffer has no room for it, it is dropped and counted.
---@param text string
function Writer:line(text) end

--- Write what is taken now.
---@return boolean done  nothing waits any more
function Writer:pump() end

--- Lines lost so far.
---@return integer
function Writer:dropped() end

--- Close it; what waits is lost.  May be called twice.
function Writer:close() end

local writer = {}

---@return moonwatch.Writer?
---@return string? message
---@return string? code  "EBADF" when closed or not for writing
---@return integer? errno
function writer.stderr() end

---@return moonwatch.Writer?
---@return string? message
---@return string? code  "EBADF" when closed or not for writing
---@return integer? errno
function writer.stdout() end

--- Append to a file, made with mode 0600.
---@param path string
---@param bytes? integer  rotate it: at most so many in it, what is full becomes PATH.1, and so on
---@param count? integer  of old ones that are kept: 1
---@return moonwatch.Writer?
---@return string? message
---@return string? code  "ELOOP" for a symbolic link, "EPERM" for a file of another user, …
---@return integer? errno
function writer.file(path) end

return writer
