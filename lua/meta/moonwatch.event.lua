---@meta moonwatch.event

--- Events as C has them.  The userdata that rules and formats are given reads fields by name, raises an error for a name
--- that is none, cannot be written, and is dead after the call: keep values, not events.  An absent field is nil; a `time`
--- is text in RFC 3339; a list of texts is a new table each time.
local event = {}

--- One line of JSON with all fields.
---@param item userdata
---@return string
function event.json(item) end

--- A field that costs something to find out (a hash), if it is known already.
---@param item userdata|table
---@param name string
---@return string?
function event.known(item, name) end

---@class moonwatch.event.Field
---@field name string
---@field type "int"|"bool"|"text"|"time"|"strings"|"object"|"objects"
---@field unit string?
---@field doc string
---@field shape string?  of an object: the name of its shape

---@class moonwatch.event.Shape
---@field doc string
---@field fields moonwatch.event.Field[]

--- Every shape by its name: Event, Process, File, Alert, Rule…
---@return table<string, moonwatch.event.Shape>
function event.fields() end

--- Every kind of event.
---@return { name: string, doc: string }[]
function event.kinds() end

--- Names of severities, lowest first.
---@return string[]
function event.severities() end

return event
