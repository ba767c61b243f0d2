-- What is told of files, done again in the order it was told, gives the tree that is there: random changes by several processes,
-- through the whole sensor, as its JSON events say.
--
-- MOONWATCH_TEST_SEEDS: how many seeds, 3 when it is not set; MOONWATCH_TEST_SEED: the first of them.
local support = require "tests.system.support"
local files = require "tests.system.files"

local OPERATIONS = 10000
local WRITERS = 3

--- A tree: names to files { inode, size, mode } or, for folders, { names = {} }.
local function folder()
  return { names = {} }
end

--- The folder that a path is in, and its last name; nil where there is none.
local function place(root, path)
  local at, last = root, nil
  for name in path:gmatch "[^/]+" do
    if last then
      at = at.names and at.names[last]
      if not at or not at.names then
        return nil
      end
    end
    last = name
  end
  return at, last
end

local function put(root, path, file)
  local at, name = place(root, path)
  if not at then
    return false
  end
  local is = at.names[name]
  if file.directory then
    at.names[name] = is and is.names and is or folder()
  else
    at.names[name] = { inode = file.inode, size = file.size, mode = file.mode }
  end
  return true
end

--- Do again what the events say; how many were of what is not there.
local function replay(root, events, dir)
  local strays = 0
  local function relative(path)
    return path:sub(1, #dir + 1) == dir .. "/" and path:sub(#dir + 1) or nil
  end
  for _, event in ipairs(events) do
    local file = event.file
    local path = file and file.found_by ~= "call" and relative(file.path)
    if path and event.kind == "file.delete" then
      local at, name = place(root, path)
      if at and at.names[name] then
        at.names[name] = nil
      else
        strays = strays + 1
      end
    elseif path and event.kind == "file.rename" then
      local from, old = place(root, relative(file.old_path))
      local moved = from and from.names[old]
      local to, name = place(root, path)
      if moved and to and not moved.names == not file.directory then
        from.names[old] = nil
        to.names[name] = moved
      elseif moved then
        from.names[old] = nil
      end
      if not file.directory or not moved then
        strays = strays + (put(root, path, file) and 0 or 1)
      end
    elseif path then
      strays = strays + (put(root, path, file) and 0 or 1)
    end
  end
  return strays
end

local function list(tree, path, lines)
  for name, node in pairs(tree.names) do
    if node.names then
      lines[#lines + 1] = path .. "/" .. name .. "/"
      list(node, path .. "/" .. name, lines)
    else
      lines[#lines + 1] = ("%s/%s %d %d %o"):format(path, name, node.inode or 0, node.size or -1, node.mode or 0)
    end
  end
  return lines
end

--- Lines in one list and not in the other.
local function differences(told, real)
  local is = {}
  for _, line in ipairs(told) do
    is[line] = "told, but not so: "
  end
  for _, line in ipairs(real) do
    is[line] = not is[line] and "there, but not told: " or nil
  end
  local lines = {}
  for line, what in pairs(is) do
    lines[#lines + 1] = what .. line
  end
  table.sort(lines)
  return lines
end

local function scramble(seed)
  local run = files.start(("%s $D %d %d %d\n: >$D/last\nstep"):format(support.program "scramble", seed, OPERATIONS, WRITERS),
    { in_memory = true, flags = "--file_events_hashes=none --spool_limit_mib=256" })
  run:step()
  -- All before it was told, but for what is to be looked at once more.
  files.until_true("the last is told", function()
    return #support.sql(run.state, "SELECT 1 FROM file_events WHERE target_path LIKE '%/last' LIMIT 1") > 0
  end)
  run:step()
  assert.are.equal(0, run:finish())
  local tree = folder()
  local events = support.json_lines(run.events_path)
  local strays = replay(tree, events, run.dir)
  local real = {}
  local find = [[cd %s; find . -mindepth 1 \( -type d -printf '/%%P/\n' \) -o -printf '/%%P %%i %%s ' -exec stat -c %%f {} \;]]
  for line in support.run(find:format(run.dir)).out:gmatch "[^\n]+" do
    local head, mode = line:match "^(.* )(%x+)$"
    real[#real + 1] = head and ("%s%o"):format(head, tonumber(mode, 16)) or line
  end
  assert(os.execute("rm -r " .. run.dir))
  return differences(list(tree, "", {}), real), #events, strays
end

describe("what is told of files", function()
  local first = tonumber(os.getenv "MOONWATCH_TEST_SEED") or 1
  for seed = first, first + (tonumber(os.getenv "MOONWATCH_TEST_SEEDS") or 3) - 1 do
    it("gives the same tree, seed " .. seed, function()
      local differ, told, strays = scramble(seed)
      print(("seed %d: %d events, %d of what was not there, %d differences"):format(seed, told, strays, #differ))
      assert.are.equal("", table.concat(differ, "\n"))
      assert.is_true(told > OPERATIONS / 5, told)
    end)
  end
end)
