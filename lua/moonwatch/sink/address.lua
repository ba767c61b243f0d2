--- Addresses of sinks, and when they may be spoken to without TLS.
---@class moonwatch.sink.address
local M = {}

---@class moonwatch.sink.Address
---@field scheme string
---@field host string  without the brackets of IPv6
---@field port integer
---@field path string  with its query; "" or from the first slash on
---@field authority string  host:port, as in an address

--- SCHEME://HOST[:PORT][/PATH]; `schemes` are those that are known, each with its port.
---@param url string
---@param schemes table<string, integer>
---@return moonwatch.sink.Address?
---@return string? message
function M.parse(url, schemes)
  local scheme, rest = url:match "^([%l%d+]+)://(.*)$"
  if not scheme or not schemes[scheme] then
    local names = {}
    for name in pairs(schemes) do
      names[#names + 1] = name .. "://HOST[:PORT]"
    end
    table.sort(names)
    return nil, "the target is " .. table.concat(names, " or ")
  end
  local authority, path = rest:match "^([^/?#]*)(.*)$"
  if authority:find "@" then
    return nil, "an address has no user and password in it; write the options user= and password="
  end
  local host, port = authority:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then
    host, port = authority:match "^([%w._-]+):?(%d*)$"
  end
  port = host and (port == "" and schemes[scheme] or math.tointeger(tonumber(port)))
  if not port or port < 1 or port > 65535 or path:find "[%s%c]" then
    return nil, "the target names no host, or a port that is none"
  end
  return {
    scheme = scheme, host = host, port = port, path = path,
    authority = (host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(host, port),
  }
end

--- This machine, or this task: nobody is between.
---@param host string
---@return boolean
function M.is_local(host)
  return host == "localhost" or host == "::1" or host:find "^127%.%d+%.%d+%.%d+$" ~= nil
end

--- Without TLS to other machines only when that is asked for.
---@param address moonwatch.sink.Address
---@param is_plain boolean
---@param options table<string, any>
---@return true?
---@return string? message
function M.check_plain(address, is_plain, options)
  if is_plain and not options.plain and not M.is_local(address.host) then
    return nil, ("%s would be spoken to without TLS; if that is meant, add ;plain=yes"):format(address.authority)
  end
  return true
end

return M
