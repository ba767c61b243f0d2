---@meta moonwatch.crypto

--- Hashes, as hex digits.
local crypto = {}

---@param bytes string
---@return string
function crypto.md5(bytes) end

---@param bytes string
---@return string
function crypto.sha1(bytes) end

---@param bytes string
---@return string
function crypto.sha256(bytes) end

return crypto
