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

--- Bytes that nobody can guess, as hex digits.
---@param bytes integer  up to 64
---@return string
function crypto.random(bytes) end

return crypto
