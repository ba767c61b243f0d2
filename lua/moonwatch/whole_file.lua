--- A file that is written whole, or not at all: to a name beside it, then renamed, rename(2).
---@class moonwatch.whole_file
local M = {}

---@param path string
---@param content string
---@return string? message  why it could not be written; then what was there before is there still
function M.write(path, content)
  local unfinished = path .. ".unfinished"
  local file, message = io.open(unfinished, "wb")
  if not file then
    return message
  end
  local ok
  ok, message = file:write(content)
  -- What did not fit may show only now.
  local is_closed, why = file:close()
  if ok and is_closed then
    ok, message = os.rename(unfinished, path)
  else
    ok, message = false, message or why
  end
  if not ok then
    os.remove(unfinished)
    return message
  end
end

return M
