---@meta moonwatch.stream

--- Connections of bytes, plain or TLS.  What waits lets its task wait; one task at a time.
---@class moonwatch.Stream
local Stream = {}

--- What is there, at least a byte.
---@param max? integer  64 KiB at most
---@param ms? number  30000
---@return string?
---@return string? message
---@return string? code  "EPIPE": closed by the other side; "ETIMEDOUT"
function Stream:read(max, ms) end

--- All of it.
---@param bytes string|moonwatch.Secret
---@param ms? number  30000
---@return true?
---@return string? message
---@return string? code
function Stream:write(bytes, ms) end

--- Bytes that the other side's kernel has not confirmed; nil where that cannot be told.
---@return integer?
function Stream:unconfirmed() end

--- May be called twice.
function Stream:close() end

local stream = {}

---@class moonwatch.stream.Options
---@field host? string
---@field port? integer
---@field unix? string  path, instead of both
---@field tls? boolean
---@field connect_ms? integer  10000
---@field ca_file? string
---@field cert_file? string
---@field key_file? string
---@field pinned_key? string  "sha256//BASE64"

---@param options moonwatch.stream.Options
---@return moonwatch.Stream?
---@return string? message
---@return string? code
function stream.connect(options) end

return stream
