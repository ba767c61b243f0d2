--- What changed between two texts, in unified format (POSIX.1-2017, diff -u), by the shortest edit script (Myers, 1986).
---@class moonwatch.patch.diff
local M = {}

local CONTEXT = 3
--- Past this many lines changed, all between the first and the last of them is told as changed.
local MAX_CHANGES = 2000

local function lines_of(text)
  local lines = {}
  for line in (text:find "\n$" and text or text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  if text ~= "" and not text:find "\n$" then
    lines[#lines] = lines[#lines] .. "\n\\ No newline at end of file"
  end
  return text == "" and {} or lines
end

-- Steps from a to b: " " kept, "-" taken away, "+" new; each with its line.
local function backtrack(a, b, trace, x, y)
  local steps = {}
  for d = #trace, 1, -1 do
    local v, k = trace[d], x - y
    local before = (k == -(d - 1) or k ~= d - 1 and (v[k - 1] or -1) < (v[k + 1] or -1)) and k + 1 or k - 1
    local from_x = v[before] or 0
    local from_y = from_x - before
    while x > from_x and y > from_y and x > 0 and y > 0 do
      steps[#steps + 1] = { " ", a[x] }
      x, y = x - 1, y - 1
    end
    if d > 1 then
      if x == from_x then
        steps[#steps + 1] = { "+", b[y] }
      else
        steps[#steps + 1] = { "-", a[x] }
      end
      x, y = from_x, from_y
    end
  end
  local ordered = {}
  for i = #steps, 1, -1 do
    ordered[#ordered + 1] = steps[i]
  end
  return ordered
end

local function shortest(a, b)
  local v, trace = { [1] = 0 }, {}
  for d = 0, MAX_CHANGES do
    local copy = {}
    for k, x in pairs(v) do
      copy[k] = x
    end
    trace[d + 1] = copy
    for k = -d, d, 2 do
      local down = k == -d or k ~= d and (v[k - 1] or -1) < (v[k + 1] or -1)
      local x = down and (v[k + 1] or 0) or v[k - 1] + 1
      local y = x - k
      while x < #a and y < #b and a[x + 1] == b[y + 1] do
        x, y = x + 1, y + 1
      end
      v[k] = x
      if x >= #a and y >= #b then
        return backtrack(a, b, trace, #a, #b)
      end
    end
  end
  local steps = {}
  for _, line in ipairs(a) do
    steps[#steps + 1] = { "-", line }
  end
  for _, line in ipairs(b) do
    steps[#steps + 1] = { "+", line }
  end
  return steps
end

-- Runs of steps that are near each other: {first, last}.
local function hunks_of(steps)
  local hunks = {}
  for i, step in ipairs(steps) do
    if step[1] ~= " " then
      local last = hunks[#hunks]
      if last and i - last[2] <= 2 * CONTEXT then
        last[2] = i
      else
        hunks[#hunks + 1] = { i, i }
      end
    end
  end
  return hunks
end

---@param before string
---@param after string
---@param name string
---@return string  "" when nothing changed
function M.unified(before, after, name)
  local steps = shortest(lines_of(before), lines_of(after))
  local old, new = { [0] = 0 }, { [0] = 0 }
  for i, step in ipairs(steps) do
    old[i] = old[i - 1] + (step[1] ~= "+" and 1 or 0)
    new[i] = new[i - 1] + (step[1] ~= "-" and 1 or 0)
  end
  local out = {}
  for _, hunk in ipairs(hunks_of(steps)) do
    local first, last = math.max(1, hunk[1] - CONTEXT), math.min(#steps, hunk[2] + CONTEXT)
    local olds, news = old[last] - old[first - 1], new[last] - new[first - 1]
    out[#out + 1] = ("@@ -%d,%d +%d,%d @@"):format(old[first - 1] + (olds > 0 and 1 or 0), olds,
      new[first - 1] + (news > 0 and 1 or 0), news)
    for i = first, last do
      out[#out + 1] = steps[i][1] .. steps[i][2]
    end
  end
  if #out == 0 then
    return ""
  end
  return ("--- %s\n+++ %s\n%s\n"):format(name, name, table.concat(out, "\n"))
end

return M
