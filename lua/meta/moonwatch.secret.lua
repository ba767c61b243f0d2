---@meta moonwatch.secret

--- A secret whose bytes stay in C, in memory that is neither swapped out nor dumped, and wiped afterwards.  tostring() gives "***".
---@class moonwatch.Secret
---@operator len: integer
local Secret = {}

--- A member of the JSON object that it is; what is no string as it is written.
---@param name string
---@return moonwatch.Secret?
---@return string? message
---@return string? code  "ENOENT" no such member, "EPROTO" no JSON object
function Secret:member(name) end

--- A member that is no secret: a string, number or boolean; nil for all else.
---@param name string
---@return any value
---@return string? message  it is no JSON object
---@return string? code
function Secret:get(name) end

---@param name string
---@return "null"|"boolean"|"number"|"string"|"array"|"object"|nil
function Secret:type(name) end

--- What is between the first <name> and </name>.
---@param name string
---@return moonwatch.Secret?
function Secret:xml(name) end

--- What it encodes, in base64.
---@return moonwatch.Secret?
function Secret:base64() end

--- Itself in base64.
---@return moonwatch.Secret
function Secret:to_base64() end

--- Without blanks at its end.
---@return moonwatch.Secret
function Secret:trim() end

--- As a string of JSON, quotes included.
---@return moonwatch.Secret
function Secret:quote() end

--- As in an address or a form: %XX.
---@return moonwatch.Secret
function Secret:encode() end

--- No control characters in it?
---@return boolean
function Secret:is_printable() end

---@param text string
---@return boolean
function Secret:starts(text) end

--- As a string.  In commands alone; the sensor's scripts get an error.
---@return string
function Secret:reveal() end

--- Into a file of mode 0600, which is there whole or not at all.
---@param path string
---@return boolean? ok
---@return string? message
---@return string? code
function Secret:save(path) end

--- Wipe it now.
function Secret:close() end

local secret = {}

--- Of a string that was no secret.
---@param text string
---@return moonwatch.Secret
function secret.new(text) end

--- A variable of the environment; nil when it is not set, or empty.
---@param name string
---@return moonwatch.Secret?
function secret.env(name) end

--- A file, up to 64 KiB.  As root, nobody else may own it or write to it.
---@param path string
---@return moonwatch.Secret?
---@return string? message
---@return string? code
---@return integer? errno
function secret.file(path) end

---@param parts (string|moonwatch.Secret)[]
---@return moonwatch.Secret
function secret.join(parts) end

return secret
