--- `moonwatch sql`: runs statements of an argument, of standard input, or typed at a prompt.

local arguments = require "moonwatch.shell.arguments"
local prompt = require "moonwatch.shell.prompt"
local render = require "moonwatch.shell.render"
local sql = require "moonwatch.sql"
local terminal = require "moonwatch.terminal"

---@class moonwatch.shell
local M = {}

--- Of one statement that is read line by line.
local STATEMENT_BYTES = 1 << 20
--- Of SQLite, in this process; what a sort or a join without end is stopped at.
local MEMORY_BYTES = 256 << 20
--- Threads that tables may take beside the main one.
local HELPERS = 3
local OUTPUT_BUFFER_BYTES = 1 << 16
--- Of files that .read files that .read …
local READ_DEPTH = 16

local EXIT_OK, EXIT_NO, EXIT_USAGE = 0, 1, 2

---@class moonwatch.shell.Session
---@field options moonwatch.shell.Options
---@field database moonwatch.Database
---@field output file*  where results go
---@field output_path string?  when it is a file
---@field history moonwatch.shell.History?
---@field failed boolean  something went wrong so far
---@field is_over boolean  .exit was said, or nobody reads our output
---@field is_bailing boolean  the first failure is the end
---@field is_echoing boolean
---@field is_timing boolean
---@field shows_progress boolean  standard error is a terminal that can
---@field depth integer  of files that are being read
local Session = {}
Session.__index = Session

function Session:complain(message)
  terminal.end_progress()
  self.output:flush()
  io.stdout:flush()
  io.stderr:write("moonwatch: sql: ", message, "\n")
  self.failed = true
  if self.is_bailing then
    self.is_over = true
  end
end

function Session:write(text)
  if self.is_over then
    return
  end
  terminal.end_progress()
  local ok, message = self.output:write(text)
  if not ok then
    self.is_over = true
    self:complain("cannot write: " .. message)
  end
end

--- Results go into a file from now on, or to standard output again.
---@return string? message
function Session:set_output(path)
  local file, message = io.stdout, nil
  if path then
    file, message = io.open(path, "wb")
  end
  if not file then
    return message
  end
  if self.output_path then
    self.output:close()
  end
  self.output, self.output_path = file, path
  return nil
end

--- What the tables had to say beside their rows.
function Session:tell_warnings()
  local lines = self.database:warnings()
  for line in (lines or ""):gmatch("[^\n]+") do
    io.stdout:flush()
    io.stderr:write("moonwatch: sql: warning: ", line, "\n")
  end
end

--- One prepared statement.  False when it failed; what was shown before stays.
function Session:show(query)
  local renderer = render.new(self.options.style, function(text)
    self:write(text)
  end)
  if self.shows_progress then
    terminal.begin_progress("running, Ctrl-C ends it")
  end
  local row, message = query:texts()
  if row == nil then
    self:complain(message)
    return false
  end
  renderer:begin(query:columns())
  if row and renderer.all then
    renderer:row(row)
    row, message = renderer:all(query, function()
      return self.is_over
    end)
  end
  while row and not self.is_over do
    renderer:row(row)
    row, message = query:texts()
  end
  renderer:finish()
  if row == nil then
    self:complain(message)
  end
  return row ~= nil
end

--- How long it took, as the shell of SQLite says it.
function Session:tell_times(real, user, system)
  local real_now, user_now, system_now = terminal.times()
  self:write(("Run Time: real %.3f user %.6f sys %.6f\n"):format(real_now - real, user_now - user, system_now - system))
end

--- All statements of `text`, up to the first that fails.
function Session:run(text)
  local from = 1
  terminal.take_interrupt() -- what came while nothing ran
  while not self.is_over do
    local query <close>, following = self.database:prepare(text, from)
    if query == nil then
      self:complain(following)
      return false
    elseif not query then
      return true
    end
    local real, user, system = terminal.times()
    local is_well = self:show(query)
    terminal.end_progress()
    self.output:flush() -- the next may take long
    self:tell_warnings()
    if self.is_timing then
      self:tell_times(real, user, system)
    end
    if not is_well then
      return false
    end
    from = following
  end
  return true
end

--- A statement or a `.command`.
function Session:execute(text)
  if self.is_echoing then
    self:write(text:gsub("\n*$", "\n", 1))
  end
  if text:find("^%s*%.") then
    local message = require "moonwatch.shell.commands".run(self, text)
    if message then
      self:complain(message)
    end
  else
    self:run(text)
  end
  self.output:flush()
end

--- Is it all of a statement or `.command`, so that nothing more is to be waited for?
local function is_whole(text)
  return text:find("^%s*%.") ~= nil or not text:find("%S") or sql.is_complete(text)
end

--- Statements from lines, each ended by `;`, and `.commands`, each a line.
---@param next_line fun(is_continued: boolean): string?
function Session:read_lines(next_line)
  local statement = ""
  while not self.is_over do
    local line = next_line(statement ~= "")
    if not line then
      break
    elseif terminal.take_interrupt() and self.options.interactive then
      statement = "" -- typed at a prompt, and taken back
    end
    statement = statement .. line
    if #statement > STATEMENT_BYTES then
      self:complain(("statement longer than %d bytes; is there a ';' missing?"):format(STATEMENT_BYTES))
      break
    elseif is_whole(statement) then
      if statement:find("%S") then
        self:execute(statement)
      end
      statement = ""
    end
  end
  return statement
end

--- What a file holds.
function Session:run_script(text)
  if self.depth == READ_DEPTH then
    self:complain(("more than %d files read each other"):format(READ_DEPTH))
    return
  end
  self.depth = self.depth + 1
  local lines = text:gmatch("[^\n]*\n?")
  local rest = self:read_lines(function()
    local line = lines()
    return line ~= "" and line or nil
  end)
  if rest:find("%S") and not self.is_over then
    self:execute(rest) -- the last one needs no `;`
  end
  self.depth = self.depth - 1
end

--- Standard input, where nobody types.
function Session:read_input()
  local rest = self:read_lines(function()
    return io.read("L")
  end)
  if rest:find("%S") and not self.is_over then
    self:execute(rest)
  end
end

--- The program.
---@param words string[]  arguments
---@return integer status
function M.main(words)
  local options, message = arguments.parse(words)
  if not options then
    io.stderr:write("moonwatch: sql: ", message, "\n")
    return EXIT_USAGE
  end
  collectgarbage("generational") -- most of what is made is shown and gone
  io.stdout:setvbuf("full", OUTPUT_BUFFER_BYTES)
  local database <close>, why = sql.open({
    state_dir = options.state_dir,
    time_ms = options.time_limit,
    rows = options.row_limit,
    process_memory_bytes = MEMORY_BYTES,
    helpers = HELPERS,
  })
  if not database then
    io.stderr:write("moonwatch: sql: ", why, "\n")
    return EXIT_NO
  end

  local session = setmetatable({
    options = options,
    database = database,
    output = io.stdout,
    failed = false,
    is_over = false,
    is_bailing = false,
    is_echoing = false,
    is_timing = false,
    shows_progress = prompt.is_capable(os.getenv) and terminal.is_terminal(2),
    depth = 0,
  }, Session)
  if options.query then
    session:execute(options.query)
  elseif options.interactive then
    prompt.run(session, is_whole)
  else
    session:read_input()
  end
  session:set_output(nil)
  local ok, reason = io.stdout:flush()
  if not ok and not session.is_over then
    session:complain("cannot write: " .. reason)
  end
  -- At a prompt a mistake was seen and put right.
  return session.failed and not (options.interactive and not options.query) and EXIT_NO or EXIT_OK
end

return M
