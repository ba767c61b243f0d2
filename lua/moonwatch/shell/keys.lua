--- What a terminal sends when keys are pressed: ECMA-48 and what xterm, screen and the Linux console make of it.

---@class moonwatch.shell.keys
local M = {}

--- Control characters by their letter; "ctrl_i" is Tab, "ctrl_m" and "ctrl_j" are Enter, "ctrl_h" is Backspace.
local CONTROL = { i = "tab", m = "enter", j = "enter", h = "backspace" }

--- Behind ESC [ or ESC O: the last character, or the number before "~".
local FINAL = {
  A = "up", B = "down", C = "right", D = "left", H = "home", F = "end", Z = "back_tab",
  ["1~"] = "home", ["3~"] = "delete", ["4~"] = "end", ["7~"] = "home", ["8~"] = "end",
  ["200~"] = "paste",
}
--- With Ctrl or Alt held, "ESC [ 1 ; 5 C".
local FINAL_WITH = { C = "word_right", D = "word_left", ["3~"] = "kill_word" }

local ALT = {
  b = "word_left", f = "word_right", d = "kill_word", ["\127"] = "rub_word", ["\8"] = "rub_word",
  ["\r"] = "newline", ["\n"] = "newline",
}

--- What ends what is pasted.
M.PASTE_END = "\27[201~"

local function sequence(bytes)
  local parameters, final = bytes:match("^\27%[([0-9;:<=>?]*)[ -/]*([@-~])")
  if parameters then
    local _, ending = bytes:find("^\27%[[0-9;:<=>?]*[ -/]*[@-~]")
    local number, with = parameters:match("^(%d*);?(%d*)")
    local name = final == "~" and number .. "~" or final
    local key = with ~= "" and FINAL_WITH[name] or FINAL[name]
    return key or "unknown", nil, ending + 1
  elseif bytes:find("^\27%[[0-9;:<=>?]*[ -/]*$") or bytes == "\27O" then
    return nil -- not all of it
  elseif bytes:find("^\27[%[O]") then
    return FINAL[bytes:sub(3, 3)] or "unknown", nil, 4
  end
  return ALT[bytes:sub(2, 2)] or "unknown", nil, 3
end

--- Bytes of the character that begins with this one.
local function expected_size(lead)
  return lead < 0xC2 and 1 or lead < 0xE0 and 2 or lead < 0xF0 and 3 or lead < 0xF5 and 4 or 1
end

--- The first key of `bytes`: its name, for "text" the character (a byte that is none by itself), and where the next one
--- begins.  nil when more bytes are needed.
---@param bytes string
---@return string? key
---@return string? character
---@return integer? following
function M.first(bytes)
  local lead = bytes:byte()
  if not lead or bytes == "\27" then
    return nil
  elseif lead == 27 then
    return sequence(bytes)
  elseif lead == 127 then
    return "backspace", nil, 2
  elseif lead == 0 then
    return "unknown", nil, 2
  elseif lead < 32 then
    local letter = string.char(lead + 96)
    return CONTROL[letter] or "ctrl_" .. letter, nil, 2
  end
  local size = expected_size(lead)
  local found = bytes:match("^.[\x80-\xBF]*"):sub(1, size)
  if #found < size and #found == #bytes then
    return nil
  elseif #found == size and utf8.len(found) then
    return "text", found, size + 1
  end
  return "text", bytes:sub(1, 1), 2
end

return M
