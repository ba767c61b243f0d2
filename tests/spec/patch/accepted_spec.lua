-- What comes out is what AWS's own tools take.
local patch = require "moonwatch.patch"
local python_of = require "tests.fixtures.aws.python"

local FOLDER <const> = "tests/fixtures/patch/"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function patched(folder, pattern, mode)
  local names = {}
  local pipe <close> = assert(io.popen(("ls %s%s"):format(FOLDER .. folder .. "/", pattern)))
  for path in pipe:lines() do
    local result = patch.patch(read(path), {
      mode = mode, image = "registry/moonwatch:1", name = "moonwatch", include = {}, exclude = {},
      environment = { { name = "MOONWATCH_TLS_HOSTNAME", value = "backend.example:443" } },
      image_config = function()
        return { entrypoint = { "/entry" }, cmd = { "serve" } }
      end,
    })
    if result then
      local name = ("%s/%s-%s"):format(os.getenv "TMPDIR", mode, path:match "[^/]+$")
      local file <close> = assert(io.open(name, "wb"))
      file:write(result)
      names[#names + 1] = name
    end
  end
  return names
end

local function output_of(command)
  local pipe <close> = assert(io.popen(command .. " 2>&1"))
  local out = pipe:read "a"
  return out, pipe:close()
end

describe("patched documents", function()
  local python, why = python_of.find()

  it("can be registered with ECS, as moto has it", function()
    if not python then
      pending(why)
      return
    end
    local names = patched("ecs", "*.json", "sidecar")
    table.move(patched("ecs", "*.json", "volume"), 1, 100, #names + 1, names)
    assert.is_truthy(#names > 60)
    local said, ok = output_of(("%s tests/fixtures/patch/register.py %s"):format(python, table.concat(names, " ")))
    assert.are.equal("", said)
    assert.is_truthy(ok)
  end)

  it("are what Kubernetes takes", function()
    if not python then
      pending(why)
      return
    end
    local names = patched("kubernetes", "*", "volume")
    assert.is_truthy(#names >= 3)
    local said, ok = output_of(("%s tests/fixtures/patch/kubernetes.py %s"):format(python, table.concat(names, " ")))
    assert.are.equal("", said)
    assert.is_truthy(ok)
  end)

  it("pass cfn-lint", function()
    if not python then
      pending(why)
      return
    end
    for _, mode in ipairs { "sidecar", "volume" } do
      local names = patched("cloudformation", "*", mode)
      assert.are.equal(6, #names)
      local said, ok = output_of(("%s %s"):format((python:gsub("python$", "cfn-lint")), table.concat(names, " ")))
      assert.is_truthy(ok, said)
    end
  end)
end)
