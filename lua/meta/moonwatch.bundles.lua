---@meta moonwatch.bundles
local bundles = {}

--- Check a signed bundle of rules, load it beside the rules that run, and put it in their place; they stay when it is refused, and
--- the reason has been told.  True also when it is in force already.
---@param bytes string
---@param origin string  where from, for messages
---@return true? ok
---@return string? message
---@return string? code  "EBADMSG": not signed so; "EPERM": older than what runs; "ENOTSUP": for a newer moonwatch
---@return integer? errno
function bundles.apply(bytes, origin) end

--- Change the rules in force, and those that come later, as a document says: docs/howto/rules.md.  It takes the place of the one before.
---@param json string  "{}" for no changes
---@return true? ok
---@return string? message  what is wrong with it; then the one before holds
---@return string? code
---@return integer? errno
function bundles.override(json) end

--- Of the bundle in force; "" without one.
---@return string
function bundles.version() end

--- What base64 encodes; nil when it is none.
---@param base64 string
---@return string?
function bundles.decode(base64) end

return bundles
