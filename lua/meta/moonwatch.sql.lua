---@meta moonwatch.sql

--- Queries over the tables, reading only.  See core/sql/db.h.
local sql = {}

---@class moonwatch.sql.Options
---@field state_dir string?  where event tables look first
---@field proc string?       instead of /proc
---@field root string?       folder that holds etc/
---@field time_ms integer?   most time of one query
---@field rows integer?      most rows of one query
---@field process_memory_bytes integer?  of all of SQLite in this process
---@field helpers integer?  threads that tables may take beside this one, at most one for each other CPU; 0

---@class moonwatch.sql.Column
---@field name string
---@field type "TEXT"|"INTEGER"|"BIGINT"|"DOUBLE"
---@field doc string
---@field collate string?
---@field index boolean
---@field additional boolean
---@field required boolean
---@field range boolean
---@field like boolean
---@field hidden boolean   not in SELECT *
---@field foreign boolean  of another platform: always NULL

---@class moonwatch.sql.Table
---@field name string
---@field doc string
---@field source string
---@field example string?
---@field schema string  as CREATE TABLE
---@field columns moonwatch.sql.Column[]

---@class moonwatch.sql.Function
---@field name string
---@field family string
---@field arguments string
---@field doc string
---@field example string
---@field result string?  of the example
---@field least integer
---@field most integer
---@field is_aggregate boolean

--- A connection; close it, or declare it `<close>`.
---@class moonwatch.Database
local Database = {}

--- The first statement of `text` from byte `from` on; false when there is none any more.
---@param text string
---@param from integer?  1
---@return moonwatch.Query|false|nil query
---@return (integer|string)? next  where the next statement may begin, or the message
---@return string? code  "EINVAL" not understood, "EPERM" not reading
function Database:prepare(text, from) end

--- What was noticed since the last call, a line each.
---@return string?
function Database:warnings() end

--- May be called twice.
function Database:close() end

--- A prepared statement; close it, or declare it `<close>`.
---@class moonwatch.Query
local Query = {}

---@return string[]
function Query:columns() end

--- As tables declare them; "" for an expression.
---@return string[]
function Query:types() end

--- The next row, nil for NULL; false at the end.
---@return (string|number|nil)[]|false|nil row
---@return string? message
---@return string? code  "ETIME", "ENOBUFS" or "ENOMEM" past a limit, "EINTR" after an interrupt
function Query:step() end

--- Likewise, every value as a text.
---@return (string|nil)[]|false|nil row
---@return string? message
---@return string? code
function Query:texts() end

--- May be called twice.
function Query:close() end

--- What stands around values and rows; nothing where nothing is said.
---@class moonwatch.sql.LayoutOptions
---@field columns (string|false)[]  what stands before each value; false: not shown
---@field quote "json"|"csv"|"printable"  how values are written
---@field first string?  before the first row
---@field between_rows string?
---@field open string?  before a row's first value
---@field between string?  between its values
---@field close string?  behind its last one
---@field null string?  what NULL is
---@field separator string?  csv: what a value is quoted for

--- How the rows of one result become texts.
---@class moonwatch.sql.Layout
local Layout = {}

---@param values (string|nil)[]
---@return string? text
---@return string? message
---@return string? code
function Layout:row(values) end

--- Some rows of a query, those before a failure too; false at the end.
---@param query moonwatch.Query
---@return string|false|nil text
---@return string? message
---@return string? code  as Query:step()
function Layout:rows(query) end

--- For one result.
---@param options moonwatch.sql.LayoutOptions
---@return moonwatch.sql.Layout
function sql.layout(options) end

---@class moonwatch.sql.Sheet
local Sheet = {}

--- Gather a row.
---@param values (string|nil)[]
function Sheet:row(values) end

--- Gather rows of a query.
---@param query moonwatch.Query
---@param most integer
---@return integer? count  0 at the end; nil when the query failed
---@return string? message
---@return string? code
function Sheet:rows(query, most) end

--- Make each width at least what the rows that were gathered need; what is wider than `most` does not count.
---@param widths integer[]
---@param most integer
function Sheet:widen(widths, most) end

--- Lines of the rows that were gathered, which are gone from it then.
---@param widths integer[]
---@return string
function Sheet:take(widths) end

---@class moonwatch.sql.SheetOptions
---@field columns integer
---@field width fun(text: string): integer  cells that a text takes which is not all ASCII
---@field first string  before the first column
---@field between string
---@field close string  behind the last one
---@field null string  what NULL is shown as
---@field trims boolean?  lines end without blanks

--- Rows under each other.
---@param options moonwatch.sql.SheetOptions
---@return moonwatch.sql.Sheet
function sql.sheet(options) end

---@param options moonwatch.sql.Options
---@return moonwatch.Database?
---@return string? message
---@return string? code
function sql.open(options) end

---@return moonwatch.sql.Table[]
function sql.tables() end

--- Beside SQLite's own.
---@return moonwatch.sql.Function[]
function sql.functions() end

---@return { sqlite: string, pcre2: string }
function sql.versions() end

--- Does `text` end with a whole statement?
---@param text string
---@return boolean
function sql.is_complete(text) end

return sql
