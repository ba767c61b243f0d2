--- A command line as a shell would split it into words, without expanding anything (POSIX.1-2017, 2.2 and 2.3).
---@class moonwatch.patch.words
local M = {}

---@param text string
---@return string[]? words
---@return string? message
function M.split(text)
  local words, word, quote = {}, nil, nil
  local at = 1
  while at <= #text do
    local c = text:sub(at, at)
    if quote == "'" then
      if c == "'" then
        quote = nil
      else
        word = word .. c
      end
    elseif c == "\\" and (not quote or text:find('^["\\$`\n]', at + 1)) then
      at = at + 1
      word = (word or "") .. text:sub(at, at):gsub("\n", "")
    elseif quote then
      if c == '"' then
        quote = nil
      else
        word = word .. c
      end
    elseif c == "'" or c == '"' then
      quote, word = c, word or ""
    elseif c:find "%s" then
      words[#words + 1], word = word, nil
    else
      word = (word or "") .. c
    end
    at = at + 1
  end
  if quote then
    return nil, ("a quote (%s) that does not end"):format(quote)
  end
  words[#words + 1] = word
  return words
end

return M
