--- `moonwatch rules import`: rules of Falco and Sigma made into ours, as far as they can be.
---
--- A format reads its file and gives, for each rule there, a draft: id, texts, a condition (moonwatch.import.condition) and notes
--- on what is lost.  Whatever cannot be said is left out of the condition only where that makes the rule match less; else the
--- rule is refused, with the reason.

local writer = require "moonwatch.import.writer"

local M = {}

local FORMATS = { falco = "moonwatch.import.falco", sigma = "moonwatch.import.sigma" }

local EXIT_OK, EXIT_NO, EXIT_USAGE = 0, 1, 2

local function complain(...)
  io.stderr:write("moonwatch: rules import: ", ...)
  io.stderr:write "\n"
end

--- Whether there is a file.
local function exists(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

local function write(path, text)
  local file <close>, message = io.open(path, "w")
  if not file then
    return message
  end
  local is_written, why = file:write(text)
  return not is_written and why or nil
end

--- An id that no other rule of this import has.
local function unique(id, taken)
  local candidate, n = id, 1
  while taken[candidate] do
    n = n + 1
    candidate = ("%s_%d"):format(id:sub(1, 44), n)
  end
  taken[candidate] = true
  return candidate
end

---@param words string[]  format, file, folder
---@return integer exit_status
function M.main(words)
  local format, path, folder = words[1], words[2], words[3]
  local reader = FORMATS[format]
  if not reader then
    return EXIT_USAGE
  end
  local file <close>, message = io.open(path, "rb")
  if not file then
    complain(message)
    return EXIT_NO
  end
  local is_read, drafts = pcall(require(reader).read, file:read "a")
  if not is_read then
    complain(path, ": ", tostring(drafts))
    return EXIT_NO
  end
  local counts, taken = { converted = 0, partly = 0, refused = 0 }, {}
  for _, draft in ipairs(drafts) do
    local verdict, why = "refused", draft.refused
    if not why then
      draft.id = unique(writer.id(draft.id), taken)
      local text, reason = writer.write(draft, format)
      local target = ("%s/%s.lua"):format(folder, draft.id)
      if not text then
        why = reason
      elseif exists(target) then
        why = target .. " is there already"
      else
        why = write(target, text)
        verdict = why and "refused" or #draft.notes > 0 and "partly" or "converted"
        why = why or table.concat(draft.notes, "; ")
      end
    end
    counts[verdict] = counts[verdict] + 1
    io.stdout:write(("%-9s %s:%d: %s%s%s\n"):format(verdict, path, draft.line or 1, draft.title,
      draft.id and verdict ~= "refused" and (" -> %s.lua"):format(draft.id) or "", why and why ~= "" and ": " .. why or ""))
  end
  io.stdout:write(("%d converted, %d partly, %d refused\n"):format(counts.converted, counts.partly, counts.refused))
  return EXIT_OK
end

return M
