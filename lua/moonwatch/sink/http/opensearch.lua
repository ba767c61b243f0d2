--- OpenSearch and Elasticsearch: _bulk.  Each document has the item's own id, so that one that comes again is there once; each has a
--- fate of its own, whatever the answer's status.
local cjson = require "cjson"
local text = require "moonwatch.text"

local M = {}

-- Of a document: it was there already.
local CONFLICT = 409

function M.check()
  return true
end

local function id_of(item)
  return item.rule and item.id .. "/" .. item.rule or item.id
end

function M.encode(lines, items, options, path)
  local parts = {}
  for i, line in ipairs(lines) do
    local index = (options.index or "moonwatch-{stream}"):gsub("{stream}", items[i].stream)
    parts[#parts + 1] = ('{"create":{"_index":%s,"_id":%s}}'):format(cjson.encode(index), cjson.encode(id_of(items[i])))
    parts[#parts + 1] = line:sub(1, 1) == "{" and line or cjson.encode { message = line }
  end
  local headers = { ["Content-Type"] = "application/x-ndjson" }
  if options.token then
    headers.Authorization = require "moonwatch.secret".join { "ApiKey ", options.token }
  end
  return { path = path:gsub("/*$", "") .. "/_bulk", headers = headers, body = table.concat(parts, "\n") .. "\n" }
end

local function why_of(result)
  local problem = result.error
  if type(problem) ~= "table" then
    return ("HTTP %d"):format(result.status)
  end
  return ("HTTP %d: %s: %s"):format(result.status, tostring(problem.type), text.printable(tostring(problem.reason), 300))
end

function M.judge(ok, why, trouble, answer, items)
  if not ok then
    return ok, why, trouble
  end
  local is_json, body = pcall(cjson.decode, answer.body)
  if not is_json or type(body) ~= "table" or type(body.items) ~= "table" or #body.items ~= #items then
    return nil, "the answer is none of _bulk", { stop = true }
  end
  local accepted, refused, retry = {}, {}, nil
  local stop = false
  for i, entry in ipairs(body.items) do
    local result = type(entry) == "table" and select(2, next(entry)) or {}
    local status = math.tointeger(tonumber(result.status)) or 0
    if (status >= 200 and status < 300) or status == CONFLICT then
      accepted[i] = true
    elseif status == 400 or status == 413 or status == 422 then
      refused[i] = why_of(result)
    else
      retry = retry or why_of { status = status, error = result.error }
      stop = stop or status == 401 or status == 403 or status == 404
    end
  end
  if not retry and not next(refused) then
    return true
  end
  return nil, retry or select(2, next(refused)), { accepted = accepted, refused = refused, stop = stop }
end

return M
