--- ClickHouse: INSERT … FORMAT JSONEachRow.
---
--- columns=line (the default): a row is id, stream, kind, rule, time_ns and line, so one table takes all of it.  columns=own: a row is
--- the line itself, whose members are the table's columns; others are skipped.
local cjson = require "cjson"

local M = { has_own_password = true }

-- Codes of its exceptions that are of what was sent: no number, no date, no JSON, unknown column, bad type…
local POISON = {
  ["6"] = true, ["26"] = true, ["27"] = true, ["33"] = true, ["38"] = true, ["41"] = true, ["53"] = true, ["72"] = true,
  ["117"] = true, ["130"] = true, ["131"] = true, ["441"] = true,
}

local NAME = "^[%a_][%w_]*$"

function M.check(options)
  if not options.table then
    return nil, "to=clickhouse needs a table: table=NAME"
  elseif not options.table:find(NAME) or (options.database and not options.database:find(NAME)) then
    return nil, "the name of a table or database has letters, digits and _"
  end
  return true
end

local function row_of(line, item)
  return ('{"id":%s,"stream":"%s","kind":%s,"rule":%s,"time_ns":%d,"line":%s}'):format(cjson.encode(item.id), item.stream,
    cjson.encode(item.kind), cjson.encode(item.rule or ""), item.time_ns, cjson.encode(line))
end

function M.encode(lines, items, options, path)
  local rows = lines
  if options.columns == "line" then
    rows = {}
    for i, line in ipairs(lines) do
      rows[i] = row_of(line, items[i])
    end
  end
  local into = (options.database and options.database .. "." or "") .. options.table
  local query = ("INSERT INTO %s FORMAT JSONEachRow"):format(into):gsub(" ", "%%20")
  local settings = options.columns == "own" and "&input_format_skip_unknown_fields=1" or ""
  return {
    path = (path:find "?" and path .. "&" or (path == "" and "/?" or path .. "?")) .. "query=" .. query .. settings,
    headers = { ["X-ClickHouse-User"] = options.user, ["X-ClickHouse-Key"] = options.password },
    body = table.concat(rows, "\n") .. "\n",
  }
end

function M.judge(ok, why, trouble, answer)
  if ok then
    return true
  end
  local code = answer.headers["x-clickhouse-exception-code"] or tostring(why):match "Code: (%d+)"
  trouble.is_poison = POISON[code]
  -- No such user, database, table; no right to it.
  trouble.stop = trouble.stop or code == "60" or code == "81" or code == "192" or code == "193" or code == "194"
    or code == "497" or code == "516"
  return nil, why, trouble
end

return M
