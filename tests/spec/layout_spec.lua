-- How core/ is cut, checked in its sources: each folder includes what cmake/layers.cmake links it
-- with and no more, and outside libraries stay with the folders that own them.

local OWNERS = {
  ["lua.h"] = { script = true, rule = true },
  ["lauxlib.h"] = { script = true, rule = true },
  ["lualib.h"] = { script = true, rule = true },
  ["curl/curl.h"] = { net = true },
  ["openssl/md5.h"] = { crypto = true },
  ["openssl/sha.h"] = { crypto = true },
  -- rpm keeps its database in SQLite: one file of pkg/ reads that.
  ["sqlite3.h"] = { sql = true, spool = true, ["core/pkg/rpm_sqlite.c"] = true },
  ["yaml.h"] = { script = true },
  ["zlib.h"] = { bundle = true, net = true, pkg = true },
  ["sys/ptrace.h"] = { trace = true, launch = true },
}

-- Functions of libc without a bound, or that start a shell.
local BANNED = { "gets", "popen", "sprintf", "strcat", "strcpy", "strtok", "system", "vsprintf" }

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- folder -> set of folders it may include, and the order they are declared in
local function declared_layers()
  local layers, order = {}, {}
  for arguments in read("cmake/layers.cmake"):gmatch("\nmoonwatch_layer%((.-)%)") do
    local name = arguments:match("^%S+")
    local may = { [name] = true }
    for below in arguments:gmatch("mw_(%l+)") do
      may[below] = true
    end
    layers[name] = may
    order[#order + 1] = name
  end
  return layers, order
end

local function sources()
  local list = {}
  local find <close> = assert(io.popen("find core -name '*.[ch]' | sort"))
  for path in find:lines() do
    list[#list + 1] = { path = path, layer = path:match("^core/(%l+)/"), text = read(path) }
  end
  return list
end

-- Without comments and strings, so that both may name anything.
local function code(text)
  return (text:gsub("/%*.-%*/", " "):gsub('\\"', ""):gsub('"[^"\n]*"', '""'))
end

describe("core/", function()
  local layers, order = declared_layers()
  local files = sources()

  it("has layers that link downwards", function()
    assert.is_true(#order >= 10, "cmake/layers.cmake is not understood")
    local below = {}
    for _, name in ipairs(order) do
      below[name] = true
      for other in pairs(layers[name]) do
        assert.is_true(below[other], name .. " links " .. other .. ", which comes after it")
      end
    end
  end)

  it("includes only what its layer links", function()
    assert.is_true(#files > 30)
    local wrong = {}
    for _, file in ipairs(files) do
      local may = layers[file.layer]
      if not may and file.layer ~= "cli" then
        wrong[#wrong + 1] = file.path .. ": a folder that cmake/layers.cmake does not know"
      end
      for other in ("\n" .. file.text):gmatch('\n%s*#%s*include%s+"(%l+)/') do
        if may and not may[other] then
          wrong[#wrong + 1] = file.path .. ' includes "' .. other .. '/…"'
        end
      end
    end
    assert.are.same({}, wrong)
  end)

  it("keeps outside libraries to their folders", function()
    local wrong = {}
    for _, file in ipairs(files) do
      for header in file.text:gmatch("#%s*include%s+<(.-)>") do
        local owners = OWNERS[header]
        if owners and not owners[file.layer] and not owners[file.path] then
          wrong[#wrong + 1] = file.path .. " includes <" .. header .. ">"
        end
      end
    end
    assert.are.same({}, wrong)
  end)

  it("calls no function without a bound, and no shell", function()
    local wrong = {}
    for _, file in ipairs(files) do
      local text = code(file.text)
      for _, name in ipairs(BANNED) do
        if text:find("%f[%w_]" .. name .. "%s*%(") then
          wrong[#wrong + 1] = file.path .. " calls " .. name .. "()"
        end
      end
    end
    assert.are.same({}, wrong)
  end)
end)
