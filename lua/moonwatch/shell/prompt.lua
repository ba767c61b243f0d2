--- Where somebody types: an editor on a terminal that can be drawn on, else line by line.

local terminal = require "moonwatch.terminal"

---@class moonwatch.shell.prompt
local M = {}

local PROMPT = "moonwatch> "
local CONTINUATION = "      ...> "
local WELCOME = "Tables of this container and of what the sensor saw.  .help says more, .exit leaves.\n"

--- Terminals that know no control sequences.
local DUMB = { [""] = true, dumb = true, unknown = true, emacs = true, cons25 = true }

--- Can the terminal, as the environment names it, be drawn on?
---@param getenv fun(name: string): string?
---@return boolean
function M.is_capable(getenv)
  return not DUMB[getenv("TERM") or ""]
end

local function write(text)
  io.stdout:write(text)
  io.stdout:flush()
end

---@param session moonwatch.shell.Session
---@param accepts fun(text: string): boolean
---@param handle moonwatch.Terminal
local function run_editor(session, accepts, handle)
  -- Here, so that a query of the arguments does not wait for them.
  local complete = require "moonwatch.shell.complete"
  local editor = require "moonwatch.shell.editor"
  local history = require "moonwatch.shell.history"
  local completer
  session.history = history.open(history.path(os.getenv))
  local edited = editor.new {
    terminal = handle,
    write = write,
    history = session.history,
    accepts = accepts,
    prompt = PROMPT,
    continuation = CONTINUATION,
    complete = function(before, behind)
      completer = completer or complete.new()
      return completer:complete(before, behind)
    end,
  }
  write(WELCOME)
  while not session.is_over do
    local text, why = edited:read()
    if text and text:find("%S") then
      session.history:add(text)
      session:execute(text)
    elseif why == "interrupted" then
      write("^C\n")
    elseif why then
      return
    end
  end
end

--- Until the end of input or .exit.
---@param session moonwatch.shell.Session
---@param accepts fun(text: string): boolean  is this whole?
function M.run(session, accepts)
  terminal.catch_interrupts()
  local handle <close> = M.is_capable(os.getenv) and terminal.open() or nil
  if handle then
    return run_editor(session, accepts, handle)
  end
  session:read_lines(function(is_continued)
    write(is_continued and CONTINUATION or PROMPT)
    return io.read("L")
  end)
  if not session.is_over then
    write("\n")
  end
end

return M
