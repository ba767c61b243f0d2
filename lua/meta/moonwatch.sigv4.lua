---@meta moonwatch.sigv4

--- AWS Signature Version 4, and the times that AWS writes.
local sigv4 = {}

---@class moonwatch.sigv4.Request
---@field method? string  POST
---@field path? string  as it is sent: "/"
---@field query? string  as it is sent, without "?"
---@field keeps_path? boolean  as S3 wants it
---@field headers { [1]: string, [2]: string|moonwatch.Secret }[]  all are signed: Host, X-Amz-Date, X-Amz-Security-Token, …
---@field body? string|moonwatch.Secret
---@field date string  see sigv4.date
---@field region string
---@field service string
---@field key_id string
---@field key string|moonwatch.Secret

--- The value of the header Authorization.
---@param request moonwatch.sigv4.Request
---@return string?
---@return string? message
---@return string? code
function sigv4.authorization(request) end

--- Hex digits.
---@param request moonwatch.sigv4.Request
---@return string?
---@return string? message
---@return string? code
function sigv4.signature(request) end

---@param request moonwatch.sigv4.Request
---@return moonwatch.Secret?
function sigv4.canonical(request) end

---@param request moonwatch.sigv4.Request
---@return moonwatch.Secret?
function sigv4.to_sign(request) end

--- "20150830T123600Z"
---@param seconds number  since 1970
---@return string
function sigv4.date(seconds) end

--- Seconds since 1970 of "2026-01-02T03:04:05Z" or "Tue, 24 Nov 2026 10:00:00 GMT"; nil for another text.
---@param text string
---@return number?
function sigv4.time(text) end

return sigv4
