--- Running the program under test, for specs: its output, its complaints, its exit status.
local M = {}

--- The build folder; tests/one says which.
M.build = os.getenv("MW_BUILD") or "build"
M.path = M.build .. "/bin/moonwatch"

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

---@class moonwatch.test.Result
---@field out string     standard output
---@field err string     standard error
---@field status integer exit status, 128 + N after signal N

--- Run `words` (a list, the program first), with `environment` (name = value) added to an else
--- clean one.
---@param words string[]
---@param environment table<string, string>?
---@return moonwatch.test.Result
function M.execute(words, environment)
  local command = { "env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8" }
  for name, value in pairs(environment or {}) do
    command[#command + 1] = name .. "=" .. value
  end
  table.move(words, 1, #words, #command + 1, command)
  for i, word in ipairs(command) do
    command[i] = quote(word)
  end
  local out, err = os.tmpname(), os.tmpname()
  local line = ("%s >%s 2>%s </dev/null"):format(table.concat(command, " "), quote(out), quote(err))
  local _, how, status = os.execute(line)
  if how == "signal" then
    status = status + 128
  end
  local result = { out = read(out), err = read(err), status = status }
  os.remove(out)
  os.remove(err)
  return result
end

--- Run `moonwatch WORD…`.
---@param ... string
---@return moonwatch.test.Result
function M.run(...)
  return M.execute({ M.path, ... })
end

--- Write a file of this text into a folder of its own; returns its path.
---@param text string
---@param name string
---@return string path
function M.write(text, name)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir -m 700 " .. quote(folder)))
  local path = folder .. "/" .. name
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
  return path
end

--- Remove what write() made.
---@param path string
function M.remove(path)
  os.execute("rm -r " .. quote(path:match("^(.*)/")))
end

return M
