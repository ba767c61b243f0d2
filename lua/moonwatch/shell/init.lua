--- `moonwatch sql`: runs statements of an argument, of standard input, or typed at a prompt.

local arguments = require "moonwatch.shell.arguments"
local commands = require "moonwatch.shell.commands"
local render = require "moonwatch.shell.render"
local sql = require "moonwatch.sql"

---@class moonwatch.shell
local M = {}

--- Of one statement that is read line by line.
local STATEMENT_BYTES = 1 << 20
--- Of SQLite, in this process; what a sort or a join without end is stopped at.
local MEMORY_BYTES = 256 << 20
local OUTPUT_BUFFER_BYTES = 1 << 16

local PROMPT = "moonwatch> "
local CONTINUATION = "      ...> "

local EXIT_OK, EXIT_NO, EXIT_USAGE = 0, 1, 2

---@class moonwatch.shell.Session
---@field options moonwatch.shell.Options
---@field database moonwatch.Database
---@field failed boolean  something went wrong so far
---@field is_over boolean  .exit was said, or nobody reads our output
local Session = {}
Session.__index = Session

function Session:complain(message)
  io.stdout:flush()
  io.stderr:write("moonwatch: sql: ", message, "\n")
  self.failed = true
end

function Session:write(text)
  if self.is_over then
    return
  end
  local ok, message = io.stdout:write(text)
  if not ok then
    self:complain("cannot write: " .. message)
    self.is_over = true
  end
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
  local row, message = query:texts()
  if row == nil then
    self:complain(message)
    return false
  end
  renderer:begin(query:columns())
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

--- All statements of `text`, up to the first that fails.
function Session:run(text)
  local from = 1
  while not self.is_over do
    local query <close>, following = self.database:prepare(text, from)
    if query == nil then
      self:complain(following)
      return false
    elseif not query then
      return true
    end
    local is_well = self:show(query)
    self:tell_warnings()
    if not is_well then
      return false
    end
    from = following
  end
  return true
end

--- A statement or a `.command`.
function Session:execute(text)
  if text:find("^%s*%.") then
    local message = commands.run(self, text)
    if message then
      self:complain(message)
    end
  else
    self:run(text)
  end
  io.stdout:flush()
end

--- Statements from standard input, each ended by `;`, and `.commands`, each a line.
function Session:read()
  local is_prompting = self.options.interactive
  local statement = ""
  while not self.is_over do
    if is_prompting then
      self:write(statement == "" and PROMPT or CONTINUATION)
      io.stdout:flush()
    end
    local line = io.read("L")
    if not line then
      break
    end
    if statement == "" and (line:find("^%s*%.") or line:find("^%s*$")) then
      if line:find("%S") then
        self:execute(line)
      end
    else
      statement = statement .. line
      if #statement > STATEMENT_BYTES then
        self:complain(("statement longer than %d bytes; is there a ';' missing?")
          :format(STATEMENT_BYTES))
        break
      elseif sql.is_complete(statement) then
        self:execute(statement)
        statement = ""
      end
    end
  end
  if is_prompting then
    self:write("\n")
  elseif statement ~= "" and not self.is_over then
    self:execute(statement) -- the last one needs no `;`
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
  io.stdout:setvbuf("full", OUTPUT_BUFFER_BYTES)
  local database <close>, why = sql.open({
    state_dir = options.state_dir,
    time_ms = options.time_limit,
    rows = options.row_limit,
    process_memory_bytes = MEMORY_BYTES,
  })
  if not database then
    io.stderr:write("moonwatch: sql: ", why, "\n")
    return EXIT_NO
  end

  local session = setmetatable({
    options = options,
    database = database,
    failed = false,
    is_over = false,
  }, Session)
  if options.query then
    session:execute(options.query)
  else
    session:read()
  end
  local ok, reason = io.stdout:flush()
  if not ok and not session.is_over then
    session:complain("cannot write: " .. reason)
  end
  -- At a prompt a mistake was seen and put right.
  return session.failed and not (options.interactive and not options.query) and EXIT_NO or EXIT_OK
end

return M
