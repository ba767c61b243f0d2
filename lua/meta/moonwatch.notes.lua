---@meta moonwatch.notes

--- Texts by name that are found again after a restart: one file in the state folder, in memory without one.  Together they may take
--- 128 MiB, one of them 16.  Writing does not wait for the disk: a note survives the end of the process, but not that of the machine.
local notes = {}

---@param name string
---@return string? text
---@return string? message
---@return string? code  "ENOENT": there is none
function notes.get(name) end

---@param name string
---@param text string
---@return boolean? ok
---@return string? message
---@return string? code  "ENOSPC", "E2BIG" …
function notes.put(name, text) end

---@param name string
---@return boolean? ok
---@return string? message
---@return string? code
function notes.remove(name) end

--- Of those that begin so, in the order of their bytes.
---@param prefix string?
---@return string[]?
---@return string? message
---@return string? code
function notes.names(prefix) end

--- In commands alone: the notes of this folder; "": in memory.
---@param options { dir: string }
---@return boolean? ok
---@return string? message
---@return string? code
function notes.open(options) end

return notes
