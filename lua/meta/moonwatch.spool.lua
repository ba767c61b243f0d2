---@meta moonwatch.spool

--- The durable queue of what was seen, for those who carry it elsewhere.  A consumer has a cursor in each stream, kept in the file:
--- what it did not acknowledge before a kill is read again.
local spool = {}

---@alias moonwatch.spool.Stream "alerts"|"results"|"events"|"status"

---@class moonwatch.spool.Item
---@field stream moonwatch.spool.Stream
---@field seq integer
---@field id string  of an alert: its event's; with `rule` it is its own
---@field kind string  of the event; results: the query's name
---@field rule? string  alerts
---@field time_ns integer
---@field body string  JSON

---@class moonwatch.spool.Counts
---@field written integer  read + dropped + aside + handed + waiting
---@field read integer
---@field dropped integer  by the limits, before it was read
---@field aside integer
---@field handed integer  over, at the end of a sensor
---@field waiting integer

--- Make it a consumer, or find it again.  read() and wait() do so by themselves.
---@param consumer string
---@param options? { streams?: moonwatch.spool.Stream[] }
---@return true?
---@return string? message
---@return string? code
function spool.join(consumer, options) end

--- Forget it, and its cursors: what it did not read is not kept for it any more.
---@param consumer string
---@return true?
---@return string? message
---@return string? code
function spool.leave(consumer) end

--- Add a line; it can be read once it is committed, some milliseconds later.
---@param stream "results"|"status"
---@param json string
---@param options? { name?: string, time_ns?: integer }
---@return true?
---@return string? message
---@return string? code
function spool.add(stream, json, options) end

--- Write what was added, now.
---@return true?
---@return string? message
---@return string? code
function spool.commit() end

--- What is not acknowledged: alerts, results, events, status.  One row is given even when it is larger.
---@param consumer string
---@param options? { streams?: moonwatch.spool.Stream[], max_rows?: integer, max_bytes?: integer }  1000 rows, 1 MiB
---@return moonwatch.spool.Item[]?
---@return (boolean|string)? more  there is more, or what went wrong
---@return string? code
function spool.read(consumer, options) end

--- Delivered: the items of a batch, or `from` to `to` of them, and all before them in their streams.
---@param consumer string
---@param batch moonwatch.spool.Item[]
---@param from? integer
---@param to? integer
---@return true?
---@return string? message
---@return string? code
function spool.ack(consumer, batch, from, to) end

--- An item that nobody will ever take; kept in the table `aside` of the file.
---@param consumer string
---@param item moonwatch.spool.Item
---@param why string
---@return true?
---@return string? message
---@return string? code
function spool.set_aside(consumer, item, why) end

---@param consumer string
---@return table<moonwatch.spool.Stream, moonwatch.spool.Counts>
function spool.counts(consumer) end

---@param consumer string
---@return table<moonwatch.spool.Stream, integer>
function spool.pending(consumer) end

---@param consumer string
---@return table<moonwatch.spool.Stream, integer>
function spool.dropped(consumer) end

--- Wait until a row comes to one of `urgent`; or `rows` rows or `bytes` bytes to `streams`, since it was last read to its end; or
--- wake(); or the time is over.
---@param consumer string
---@param ms number
---@param options? { urgent?: string[], streams?: string[], rows?: integer, bytes?: integer }  urgent: as streams; streams: all
---@return "new"|"woken"|"time"
function spool.wait(consumer, ms, options) end

--- End its wait, or the next one.
---@param consumer string
function spool.wake(consumer) end

--- Rows that wait for each consumer that the file knows.
---@return table<string, integer>?
---@return string? message
---@return string? code
function spool.consumers() end

--- In commands alone: the spool of this state.
---@param options { dir: string, limit_bytes?: integer, limit_rows?: integer }  dir "": in memory
---@return true?
---@return string? note  or what went wrong
---@return string? code
function spool.open(options) end

--- What open() opened.
function spool.close() end

return spool
