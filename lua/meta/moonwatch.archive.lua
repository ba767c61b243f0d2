---@meta moonwatch.archive

--- Files in a tar, in a file that nobody else sees; a piece at a time.  For the sensor's agent alone.
---@class moonwatch.Archive
local Archive = {}

--- Begin a regular file.
---@param path string
---@param limit integer  bytes it may have
---@return integer? bytes
---@return string? message
---@return string? code  "EFBIG" larger, "EINVAL" no regular file
function Archive:add(path, limit) end

--- A piece of it.
---@return boolean? has_more
---@return string? message
---@return string? code
function Archive:copy() end

---@return integer? size
---@return string? sha256  or the message
function Archive:finish() end

---@param offset integer
---@param bytes integer
---@return string? base64
---@return string? message
function Archive:piece(offset, bytes) end

function Archive:close() end

local archive = {}

---@param is_packed boolean  by zstd
---@return moonwatch.Archive?
---@return string? message
---@return string? code  "ENOSYS": it cannot be packed here
function archive.new(is_packed) end

return archive
