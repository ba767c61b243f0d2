---@meta moonwatch.text

--- What scripts do with strings instead of patterns.  A subject may be nil, which is the empty string; it has at most 4096
--- bytes, and what is searched for 256: longer is an error.
local text = {}

---@param subject string?
---@param prefix string
---@return boolean
function text.starts(subject, prefix) end

---@param subject string?
---@param suffix string
---@return boolean
function text.ends(subject, suffix) end

---@param subject string?
---@param part string
---@return boolean
function text.contains(subject, part) end

--- Does `subject` contain any of these?  At most 32.
---@param subject string?
---@param parts string[]
---@return boolean
function text.contains_any(subject, parts) end

--- Does any byte of `characters` occur in `subject`?
---@param subject string?
---@param characters string
---@return boolean
function text.has_any(subject, characters) end

--- `*` stands for any bytes, slashes too; `?` for one.
---@param subject string?
---@param pattern string
---@return boolean
function text.glob(subject, pattern) end

--- A regular expression (PCRE2, of bytes), compiled; call it with a text.  At most 1024 bytes; a match that takes too long is
--- an error.  Make it once, not in each call.
---@param pattern string
---@return fun(subject: string?): boolean
function text.regex(pattern) end

--- Is it an address in that network ("10.0.0.0/8", "fe80::/10", or one address)?
---@param address string?
---@param network string
---@return boolean
function text.in_network(address, network) end

--- What follows the last slash.
---@param path string?
---@return string
function text.base(path) end

--- Name of the program at a path: its base, without the " (deleted)" of a file that is gone.
---@param path string?
---@return string
function text.program(path) end

--- Printable UTF-8: control characters and what is not UTF-8 become \xNN; cut after `max_bytes`, then with "…".
---@param subject string?
---@param max_bytes integer?  at most and by default 65536
---@return string
function text.printable(subject, max_bytes) end

--- Quoted as JSON, valid whatever the bytes: what is not UTF-8 becomes U+FFFD.
---@param subject string
---@return string
function text.json(subject) end

--- The name that was probably meant.
---@param word string
---@param names string[]
---@return string?
function text.nearest(word, names) end

---@param bytes string
---@return string
function text.base64(bytes) end

return text
