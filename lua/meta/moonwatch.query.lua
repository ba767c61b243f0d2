---@meta moonwatch.query

--- Queries beside the event loop: one thread of low priority runs them one after another, in the order they were asked, and the task
--- that asks waits.  See core/sql/worker.h.
local query = {}

---@class moonwatch.query.Position  of an event in the spool
---@field seq integer
---@field id string

---@class moonwatch.query.Json  how rows are written
---@field numbers boolean?  integers and doubles as numbers, else as texts
---@field sorted boolean?   keys in the order of their bytes, else as they are selected
---@field escaped boolean?  control bytes, and those that are no UTF-8, as \xHH
---@field null string?      what NULL is, ""

---@class moonwatch.query.Since  event tables: what is new
---@field rows integer?  of the spool at once
---@field events moonwatch.query.Position?
---@field alerts moonwatch.query.Position?

---@class moonwatch.query.Options
---@field time_ms integer?       30000
---@field rows integer?
---@field memory_bytes integer?  of SQLite
---@field answer_bytes integer?  at most 4 MiB, of JSON 8
---@field json moonwatch.query.Json?   rows are texts, JSON
---@field since moonwatch.query.Since?

---@class moonwatch.query.Seen : moonwatch.query.Position
---@field more boolean    there is more: ask again from here
---@field missed integer  rows that were dropped from the spool before this query saw them
---@field anew boolean    the spool is another one than that of the position

---@class moonwatch.query.Stats
---@field wall_ms integer
---@field user_ms integer
---@field system_ms integer
---@field memory integer   bytes, at most at one time
---@field tables string[]  that were read, also by views
---@field warnings string?  lines
---@field window { events: moonwatch.query.Seen?, alerts: moonwatch.query.Seen? }  up to where event tables were read

--- Run statements; their rows are joined.
---@param text string
---@param options moonwatch.query.Options?
---@return table[]|string[]|nil rows  by name of the column, NULL is nil; or JSON
---@return { name: string, type: string }[]|string columns  of the last statement; or the message
---@return moonwatch.query.Stats|string stats  or the code: "ETIME", "ENOBUFS", "ENOMEM" past a limit, "EBUSY" too many wait, "EINVAL",
---  "EPERM", "EINTR" at the end
---@return moonwatch.query.Stats?
function query.run(text, options) end

--- Names of the tables that it would read.
---@param text string
---@return string[]?
---@return string? message
---@return string? code
function query.tables(text) end

--- From now on there are these views, and no others.
---@param views table<string, string>  name = SELECT
---@return string?  a line for each that is refused
---@return string? message
---@return string? code
function query.views(views) end

--- The query that runs now ends with "EINTR".
function query.interrupt() end

--- For commands, before the first query: where tables look.
---@param options { state_dir: string?, proc: string?, root: string? }
function query.setup(options) end

return query
