--- An editor of statements on a terminal: several lines, UTF-8, history, completion, search, pasting.
---
--- It draws what it edits again after each burst of keys: up to where it began, clear, all rows, back to the cursor.  Rows
--- are broken by us, not by the terminal, so that we know where everything is.  The keys are those of Emacs and readline.

local keys = require "moonwatch.shell.keys"
local render = require "moonwatch.shell.render"
local text = require "moonwatch.text"

---@class moonwatch.shell.editor
local M = {}

--- A key that is ESC alone is known by what does not follow it.
local ESCAPE_MS = 50
local LONGEST = 1 << 20
local PASTE_ON, PASTE_OFF = "\27[?2004h", "\27[?2004l"
--- Of completions, listed.
local LISTED = 300

---@class moonwatch.shell.Editor
---@field terminal moonwatch.Terminal
---@field write fun(text: string)  to the terminal, at once
---@field history moonwatch.shell.History
--- What is before and behind the cursor -> the word to replace, and its completions.
---@field complete fun(before: string, behind: string): string, string[]
---@field accepts fun(text: string): boolean  is this whole, so that Enter ends it?
---@field prompt string
---@field continuation string
local Editor = {}
Editor.__index = Editor

--- Characters of a text; bytes that are none by themselves.
local function split(whole)
  local characters, at = {}, 1
  while at <= #whole do
    local character = whole:match("^[\0-\x7F\xC2-\xF4][\x80-\xBF]*", at)
    if not character or not utf8.len(character) then
      character = whole:sub(at, at)
    end
    characters[#characters + 1] = character
    at = at + #character
  end
  return characters
end

--- How a character is shown, and in how many cells.
local function show(character)
  if character:find("^[ -~]$") then
    return character, 1
  end
  local shown = text.printable(character)
  return shown, render.width(shown)
end

function Editor:text()
  return table.concat(self.characters)
end

--- What is before the cursor, and what is behind it.
function Editor:sides()
  return table.concat(self.characters, "", 1, self.at),
    table.concat(self.characters, "", self.at + 1)
end

function Editor:set(whole)
  self.characters = split(whole)
  self.at = #self.characters
end

--- ---- drawing ----

--- Rows as they are shown, and where in them the cursor is, from 0.
function Editor:lay_out()
  local columns = math.max(self.columns, #self.prompt + 4)
  local rows, row, used = {}, { self.prompt }, #self.prompt
  local cursor_row, cursor_column
  local function begin(start)
    rows[#rows + 1] = table.concat(row)
    row, used = { start }, #start
  end
  for i = 1, #self.characters + 1 do
    local character = self.characters[i]
    local shown, cells = "", 1
    if character and character ~= "\n" then
      shown, cells = show(character)
    end
    if used + cells > columns and used > 0 then
      begin("")
    end
    if i == self.at + 1 then
      cursor_row, cursor_column = #rows, used
    end
    if character == "\n" then
      begin(self.continuation)
    else
      row[#row + 1] = shown
      used = used + (character and cells or 0)
    end
  end
  rows[#rows + 1] = table.concat(row)
  return rows, cursor_row, cursor_column
end

local function move(count, letter)
  return count > 0 and ("\27[%d%s"):format(count, letter) or ""
end

--- From the cursor's row on nothing of ours is on the screen.
function Editor:start_drawing()
  self.cursor_row = 0
  self.drawn_above, self.drawn_column = {}, 0
  self.is_drawn = false
end

function Editor:draw()
  local rows, row, column = self:lay_out()
  local _, height = self.terminal:size()
  local first = math.max(0, math.min(row - height // 2, #rows - height))
  local last = math.min(#rows, first + height)
  self.write(move(self.cursor_row, "A") .. "\r\27[J" .. table.concat(rows, "\r\n", first + 1, last)
    .. move(last - 1 - row, "A") .. "\r" .. move(column, "C"))
  self.cursor_row = row - first
  self.drawn_above = table.move(rows, first + 1, row, 1, {})
  self.drawn_column = column
  self.is_drawn = true
end

--- Leave what is shown, and go on below it.
function Editor:leave()
  local at = self.at
  self.at = #self.characters
  self:draw()
  self.at = at
  self.write("\r\n")
  self:start_drawing()
end

--- The terminal has broken the rows anew that we have drawn.
function Editor:resize()
  self.columns = self.terminal:size()
  self.cursor_row = self.drawn_column // self.columns
  for _, row in ipairs(self.drawn_above) do
    self.cursor_row = self.cursor_row + math.max(0, render.width(row) - 1) // self.columns + 1
  end
  self.is_drawn = false
end

--- ---- keys ----

--- The next key; draws before it waits.
function Editor:next_key()
  while true do
    local key, character, following = keys.first(self.pending)
    if key then
      self.pending = self.pending:sub(following)
      return key, character
    end
    if not self.is_drawn then
      self:draw()
    end
    local bytes, why = self.terminal:read(self.pending ~= "" and ESCAPE_MS or nil)
    if bytes then
      self.pending = self.pending .. bytes
    elseif why == "timeout" then
      character = self.pending:sub(1, 1)
      self.pending = self.pending:sub(2)
      return character == "\27" and "escape" or "text", character
    elseif why == "resized" then
      self:resize()
    else
      return "closed"
    end
  end
end

--- What is pasted, as it is; a carriage return is how terminals write a newline.
function Editor:take_paste()
  local from = 1
  while true do
    local start, ending = self.pending:find(keys.PASTE_END, from, true)
    if start then
      local pasted = self.pending:sub(1, start - 1)
      self.pending = self.pending:sub(ending + 1)
      return (pasted:gsub("\r\n?", "\n"))
    end
    from = math.max(1, #self.pending - #keys.PASTE_END)
    local bytes, why = self.terminal:read()
    if bytes then
      self.pending = self.pending .. bytes
    elseif why == "closed" or #self.pending > LONGEST then
      local pasted = self.pending
      self.pending = ""
      return pasted
    end
  end
end

function Editor:insert(characters)
  if #self.characters + #characters > LONGEST then
    self.write("\a")
    return
  end
  table.move(self.characters, self.at + 1, #self.characters, self.at + #characters + 1)
  table.move(characters, 1, #characters, self.at + 1, self.characters)
  self.at = self.at + #characters
end

--- Take away the characters from `from` + 1 to `to`, and return them.
function Editor:remove(from, to)
  local removed = table.move(self.characters, from + 1, to, 1, {})
  local count = #self.characters
  table.move(self.characters, to + 1, count, from + 1)
  for i = count, count - #removed + 1, -1 do
    self.characters[i] = nil
  end
  self.at = from
  return removed
end

local function is_word(character)
  return character and character:find("^[%w_\x80-\xFF]") ~= nil
end

function Editor:word_left()
  local at = self.at
  while at > 0 and not is_word(self.characters[at]) do
    at = at - 1
  end
  while at > 0 and is_word(self.characters[at]) do
    at = at - 1
  end
  return at
end

function Editor:word_right()
  local at = self.at
  while at < #self.characters and not is_word(self.characters[at + 1]) do
    at = at + 1
  end
  while at < #self.characters and is_word(self.characters[at + 1]) do
    at = at + 1
  end
  return at
end

--- Where the line of the cursor begins and ends.
function Editor:line_ends(at)
  local from, to = at, at
  while from > 0 and self.characters[from] ~= "\n" do
    from = from - 1
  end
  while to < #self.characters and self.characters[to + 1] ~= "\n" do
    to = to + 1
  end
  return from, to
end

--- To another entry of the history; what is being typed stands behind the last.
function Editor:recall(step)
  local entries = self.history.entries
  local wanted = self.entry + step
  if wanted < 1 or wanted > #entries + 1 then
    self.write("\a")
    return
  end
  if self.entry == #entries + 1 then
    self.typed = self:text()
  end
  self.entry = wanted
  self:set(entries[wanted] or self.typed)
end

--- Up and down: within the lines first, then through the history.
function Editor:up()
  local from = self:line_ends(self.at)
  if from == 0 then
    return self:recall(-1)
  end
  local above = self:line_ends(from - 1)
  self.at = math.min(above + self.at - from, from - 1)
end

function Editor:down()
  local from, to = self:line_ends(self.at)
  if to == #self.characters then
    return self:recall(1)
  end
  local _, below_end = self:line_ends(to + 1)
  self.at = math.min(to + 1 + self.at - from, below_end)
end

local function common_start(words)
  local common = words[1]
  for _, word in ipairs(words) do
    local n = 0
    while n < math.min(#common, #word) and common:byte(n + 1) == word:byte(n + 1) do
      n = n + 1
    end
    common = common:sub(1, n)
  end
  return common
end

function Editor:list(words)
  local width = 0
  for _, word in ipairs(words) do
    width = math.max(width, #word)
  end
  local across = math.max(1, (self.columns + 2) // (width + 2))
  local down = math.ceil(math.min(#words, LISTED) / across)
  local lines = {}
  for row = 1, down do
    local cells = {}
    for i = row, math.min(#words, LISTED), down do
      cells[#cells + 1] = words[i] .. (" "):rep(width - #words[i])
    end
    lines[row] = table.concat(cells, "  "):gsub(" +$", "")
  end
  if #words > LISTED then
    lines[#lines + 1] = ("and %d more"):format(#words - LISTED)
  end
  self:leave()
  self.write(table.concat(lines, "\r\n") .. "\r\n")
end

function Editor:tab()
  local word, words = self.complete(self:sides())
  if #words == 0 then
    self.write("\a")
    return
  end
  local replacement = #words == 1 and words[1] or common_start(words)
  local is_news = replacement ~= word and #replacement >= #word
  if is_news then
    self:remove(self.at - #split(word), self.at)
    self:insert(split(replacement))
  elseif self.last_key == "tab" then
    self:list(words)
  else
    self.write("\a")
  end
end

--- Look for what was typed before, the newest first.  Returns the key that ended it.
function Editor:search()
  local prompt, typed = self.prompt, self:text()
  local wanted, entry = "", #self.history.entries + 1
  local function find(from)
    for i = math.min(from, #self.history.entries), 1, -1 do
      local at = self.history.entries[i]:find(wanted, 1, true)
      if at then
        entry = i
        self:set(self.history.entries[i])
        self.at = #split(self.history.entries[i]:sub(1, at - 1))
        return
      end
    end
    self.write("\a")
  end
  while true do
    self.prompt = ("(search)'%s': "):format(text.printable(wanted))
    self.is_drawn = false
    local key, character = self:next_key()
    if key == "text" then
      wanted = wanted .. character
      find(entry)
    elseif key == "backspace" then
      wanted = wanted:gsub("[\0-\x7F\xC2-\xF4]?[\x80-\xBF]*$", "", 1)
      find(#self.history.entries)
    elseif key == "ctrl_r" then
      find(entry - 1)
    else
      self.prompt = prompt
      if key == "ctrl_g" or key == "ctrl_c" then
        self:set(typed)
        return nil
      end
      self.entry = math.min(entry, #self.history.entries + 1)
      return key ~= "escape" and key or nil
    end
  end
end

--- What a key does to the text.
local EDITS = {
  left = function(self) self.at = math.max(0, self.at - 1) end,
  right = function(self) self.at = math.min(#self.characters, self.at + 1) end,
  word_left = function(self) self.at = self:word_left() end,
  word_right = function(self) self.at = self:word_right() end,
  home = function(self) self.at = self:line_ends(self.at) end,
  ["end"] = function(self) self.at = select(2, self:line_ends(self.at)) end,
  up = Editor.up,
  down = Editor.down,
  ctrl_p = function(self) self:recall(-1) end,
  ctrl_n = function(self) self:recall(1) end,
  tab = Editor.tab,
  newline = function(self) self:insert { "\n" } end,
  backspace = function(self)
    if self.at > 0 then
      self:remove(self.at - 1, self.at)
    end
  end,
  delete = function(self)
    if self.at < #self.characters then
      self:remove(self.at, self.at + 1)
    end
  end,
  kill_word = function(self) self.killed = self:remove(self.at, self:word_right()) end,
  rub_word = function(self) self.killed = self:remove(self:word_left(), self.at) end,
  ctrl_w = function(self)
    local from = self.at
    while from > 0 and self.characters[from]:find("^%s$") do
      from = from - 1
    end
    while from > 0 and not self.characters[from]:find("^%s$") do
      from = from - 1
    end
    self.killed = self:remove(from, self.at)
  end,
  ctrl_u = function(self) self.killed = self:remove(self:line_ends(self.at), self.at) end,
  ctrl_k = function(self)
    local _, to = self:line_ends(self.at)
    self.killed = self:remove(self.at, to == self.at and math.min(to + 1, #self.characters) or to)
  end,
  ctrl_y = function(self) self:insert(self.killed) end,
  ctrl_t = function(self)
    if self.at > 0 and #self.characters > 1 then
      local at = math.min(self.at, #self.characters - 1)
      local characters = self.characters
      characters[at], characters[at + 1] = characters[at + 1], characters[at]
      self.at = at + 1
    end
  end,
  ctrl_l = function(self)
    self.write("\27[H\27[2J")
    self:start_drawing()
  end,
  ctrl_z = function(self)
    self:leave()
    self.write(PASTE_OFF)
    self.terminal:suspend()
    self.terminal:set_raw(true)
    self.write(PASTE_ON)
  end,
  paste = function(self) self:insert(split(self:take_paste())) end,
}
EDITS.ctrl_a, EDITS.ctrl_e, EDITS.ctrl_b, EDITS.ctrl_f = EDITS.home, EDITS["end"], EDITS.left, EDITS.right

--- Keys until the text is done: it, or nil and why not.
function Editor:edit()
  while true do
    local key, character = self:next_key()
    if key == "ctrl_r" then
      key, character = self:search(), nil
    end
    self.is_drawn = false
    if key == "text" then
      self:insert { character }
    elseif key == "enter" then
      if self.accepts(self:text()) then
        return self:text()
      end
      self:insert { "\n" }
    elseif key == "ctrl_c" then
      return nil, "interrupted"
    elseif key == "closed" or (key == "ctrl_d" and #self.characters == 0) then
      return nil, "closed"
    else
      local edit = EDITS[key == "ctrl_d" and "delete" or key]
      if edit then
        edit(self)
      end
    end
    self.last_key = key
  end
end

--- A statement, without the newline that ended it; nil and "interrupted" or "closed".
---@return string? text
---@return string? why
function Editor:read()
  self.columns = self.terminal:size()
  self.entry = #self.history.entries + 1
  self.typed = ""
  self.last_key = nil
  self:start_drawing()
  self:set("")
  self.terminal:set_raw(true)
  self.write(PASTE_ON)
  local whole, why = self:edit()
  self:leave()
  self.write(PASTE_OFF)
  self.terminal:set_raw(false)
  return whole, why
end

---@param fields table  those of moonwatch.shell.Editor
---@return moonwatch.shell.Editor
function M.new(fields)
  fields.pending = "" -- keys that were typed ahead
  fields.killed = {}
  return setmetatable(fields, Editor)
end

return M
