---@meta moonwatch.tls

--- HTTP and HTTPS.  No proxy of the environment, no ~/.netrc, no configuration of OpenSSL; time and size are bounded.
local tls = {}

---@class moonwatch.tls.Request
---@field url string
---@field method? string  GET, or POST with a body
---@field headers? table<string, string|moonwatch.Secret>
---@field body? string|moonwatch.Secret
---@field gzip? boolean  pack the body
---@field plain? boolean  http:// as well
---@field follow? boolean  a GET follows redirections, to the same host and port alone
---@field alone? boolean  a connection of its own, closed afterwards
---@field secret? boolean  the body of the answer is a secret
---@field container_only? boolean  connect to this machine and to where ECS and EKS answer, nowhere else
---@field total_ms? number  for all of it: 30000
---@field connect_ms? number  10000
---@field answer_bytes? number  1 MiB
---@field ca_file? string  PEM; else what the system trusts
---@field ca_dir? string
---@field cert_file? string  our own, PEM
---@field key_file? string
---@field pinned_key? string  "sha256//BASE64"
---@field resolve? string  "host:port:address", instead of DNS
---@field proxy? string
---@field client? moonwatch.tls.Client  whose connections it may use; else those that all requests share

---@class moonwatch.tls.Answer
---@field status integer
---@field headers table<string, string>  names in lower case
---@field body any  string, or a moonwatch.Secret where that was asked for

--- Connections of its own, as another host would have them.
---@class moonwatch.tls.Client

--- It lives as long as the loop does.
---@return moonwatch.tls.Client?
---@return string? message
---@return string? code
function tls.client() end

--- Waits for the answer, whatever its status.  Connections are kept for the next request.
---@param request moonwatch.tls.Request
---@return moonwatch.tls.Answer?
---@return string? message  what happened, where, what to do
---@return string? code  "ENOENT" no such host, "ECONNREFUSED", "ETIMEDOUT", "EFBIG", "EKEYREJECTED" certificate, "EACCES" not allowed
---@return integer? errno
function tls.request(request) end

return tls
