--- `moonwatch drain`: a folder that sensors have handed their undelivered rows over to is emptied, one sensor's after the other.

local delivery = require "moonwatch.delivery"
local loop = require "moonwatch.loop"
local network = require "moonwatch.delivery.outputs"
local output = require "moonwatch.output"
local signals = require "moonwatch.signals"
local spool = require "moonwatch.spool"
local text = require "moonwatch.text"

---@class moonwatch.drain
local M = {}

local EXIT_OK, EXIT_LEFT, EXIT_USAGE = 0, 1, 2

-- Between looks at the folder, and at what has been delivered.
local LOOK_MS = 500
local STEP_MS = 20
-- While nothing of a sensor's goes out for so long, others get their turn.
local STUCK_MS = 30000
local STUCK_ONCE_MS = 10000

local function say(format, ...)
  io.stderr:write("moonwatch: drain: ", format:format(...), "\n")
end

---@class moonwatch.drain.Options
---@field dir string
---@field outputs string
---@field once boolean
---@field stop_ms integer

---@param words string[]
---@return moonwatch.drain.Options?
---@return string? message
local function parse(words)
  local options = { outputs = words[1], once = false, stop_ms = 25000 }
  for i = 2, #words do
    local word = words[i]
    local name, value = word:match "^%-%-([%l_]+)=(.*)$"
    if word == "--once" then
      options.once = true
    elseif name == "outputs" then
      options.outputs = value
    elseif name == "stop_ms" and math.tointeger(tonumber(value)) and tonumber(value) >= 0 then
      options.stop_ms = math.tointeger(tonumber(value))
    elseif word:sub(1, 1) == "-" then
      return nil, ("%q is not known; see `moonwatch drain --help`"):format(text.printable(word, 60))
    elseif options.dir then
      return nil, "more than one folder"
    else
      options.dir = word
    end
  end
  if not options.dir then
    return nil, "which folder?"
  elseif options.outputs == "" then
    return nil, "there are no outputs: --outputs=LIST, or MOONWATCH_OUTPUTS, as the sensors have it"
  end
  local parts, message = output.parse(options.outputs)
  if not parts then
    return nil, message
  end
  return options
end

---@class moonwatch.drain.Drain
---@field options moonwatch.drain.Options
---@field stop_at? number  when it was asked to end: by then
---@field told table<string, true>
---@field known table<string, true>  names of our outputs
local Drain = {}
Drain.__index = Drain

function Drain:tell_once(key, format, ...)
  if not self.told[key] then
    self.told[key] = true
    say(format, ...)
  end
end

local function sum(waiting, known)
  local ours, others = 0, 0
  for name, rows in pairs(waiting) do
    if known[name] then
      ours = ours + rows
    else
      others = others + rows
    end
  end
  return ours, others
end

-- Loops that have the spool of before must be over before another is opened: what they acknowledge is its.
function Drain:stop_loops()
  for _, own in ipairs(delivery.stop_all()) do
    while not own.has_ended do
      if self.stop_at and loop.now() > self.stop_at then
        os.exit(EXIT_LEFT) -- it waits for an answer; what is not acknowledged is still there
      end
      loop.sleep(STEP_MS)
    end
  end
end

--- Deliver until all of it is, or nothing goes any more, or the time is over.
function Drain:deliver(may_wait_ms)
  local ours = sum(spool.consumers() or {}, self.known)
  local least, since = ours, loop.now()
  while ours > 0 do
    if self.stop_at then
      delivery.flush(math.max(0, self.stop_at - loop.now()))
      return
    elseif loop.now() - since > may_wait_ms then
      return
    end
    loop.sleep(STEP_MS)
    ours = sum(spool.consumers() or {}, self.known)
    if ours < least then
      least, since = ours, loop.now()
    end
  end
end

--- What one sensor left.
---@return integer left  rows
function Drain:folder(name)
  local path = self.options.dir .. "/" .. name
  local ok, message = spool.open { dir = path }
  if not ok then
    self:tell_once(name, "%s: %s", path, message)
    return 1
  end
  local before = spool.consumers() or {}
  local is_over = false
  network.start(self.options.outputs, {
    report = function(line)
      self:tell_once(line, "%s", line)
    end,
    remember = function() end,
    wants = function(output_name)
      return (before[output_name] or 0) > 0
    end,
    is_over = function()
      return is_over
    end,
  })
  self:deliver(self.options.once and STUCK_ONCE_MS or STUCK_MS)
  is_over = true
  self:stop_loops()
  local ours, others = sum(spool.consumers() or {}, self.known)
  local delivered = sum(before, self.known) - ours
  spool.close()
  if delivered > 0 then
    say("%s: %d rows delivered, %d left", path, delivered, ours + others)
  end
  if others > 0 then
    self:tell_once(name, "%s: %d rows are for outputs that --outputs does not name; they stay", path, others)
  elseif ours == 0 then
    ok, message = spool.remove(path)
    if not ok then
      self:tell_once(name, "%s", message)
    end
  end
  return ours + others
end

--- Each folder once.
---@return integer left
function Drain:round()
  local names, message = spool.handed(self.options.dir)
  if not names then
    self:tell_once("dir", "%s", message)
    return 0
  end
  local left = 0
  for _, name in ipairs(names) do
    if self.stop_at and loop.now() >= self.stop_at then
      left = left + 1
    else
      left = left + self:folder(name)
    end
  end
  return left
end

function Drain:run()
  loop.spawn(function()
    signals.wait()
    self.stop_at = loop.now() + self.options.stop_ms
  end)
  while true do
    local was_asked = self.stop_at
    local left = self:round()
    -- Once more when asked to end: a sensor may have left something only now.
    if self.options.once or was_asked then
      return left == 0 and EXIT_OK or EXIT_LEFT
    end
    local until_ms = loop.now() + LOOK_MS
    while not self.stop_at and loop.now() < until_ms do
      loop.sleep(STEP_MS)
    end
  end
end

---@param words string[]  the environment's outputs, then arguments
---@return integer status
function M.main(words)
  local options, message = parse(words)
  if not options then
    say("%s", message)
    return EXIT_USAGE
  end
  signals.hold()
  local known, used = {}, {}
  for _, part in ipairs(assert(output.parse(options.outputs))) do
    for _, stream in ipairs(part.streams) do
      if part.is_network or stream == "results" or stream == "status" then
        known[network.name_of(part, used)] = true
        break
      end
    end
  end
  return loop.run(function()
    return setmetatable({ options = options, told = {}, known = known }, Drain):run()
  end)
end

return M
