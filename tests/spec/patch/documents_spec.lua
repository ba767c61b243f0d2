-- Every document of tests/fixtures/patch, in every mode: wrapped right, nothing else touched, done once, undone byte for byte.
local document = require "moonwatch.patch.document"
local ecs = require "moonwatch.patch.ecs"
local patch = require "moonwatch.patch"

local FOLDER <const> = "tests/fixtures/patch/"
local IMAGE <const> = { entrypoint = { "/from-image", "it" }, cmd = { "default", "daemon off;" } }
local PREFIX <const> = { "/opt/moonwatch/bin/moonwatch", "run", "--" }
local MODES <const> = { "sidecar", "volume", "build" }

local function options(mode, more)
  local made = {
    mode = mode, image = "registry/moonwatch:1", name = "moonwatch", include = {}, exclude = {},
    environment = { { name = "MOONWATCH_ENROLL_SECRET", value = "ssm:/enrol" } },
    image_config = function()
      return IMAGE
    end,
  }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function fixtures()
  local list = {}
  local pipe <close> = assert(io.popen(("find %s -mindepth 2 -type f | sort"):format(FOLDER)))
  for path in pipe:lines() do
    list[#list + 1] = path
  end
  return list
end

local function values(text)
  local all = {}
  for i, root in ipairs(assert(document.read(text)).roots) do
    all[i] = document.to_lua(root)
  end
  return all
end

local function is_prefixed(list)
  for i, word in ipairs(PREFIX) do
    if list[i] ~= word then
      return false
    end
  end
  return true
end

local ENTRIES = { entryPoint = true, EntryPoint = true, entrypoint = true, command = true, Command = true, args = true, depends_on = true }

-- All that was there is there, at its place, but for the sensor before a command.
local function assert_kept(old, new, where)
  if type(old) ~= "table" then
    if old ~= new and (old == "null" or where:find "entrypoint$") then
      return -- what was nothing may be something, a line of a shell may be a list
    end
    assert.are.equal(old, new, where)
    return
  end
  assert.are.equal("table", type(new), where)
  local shift = #new > #old and ENTRIES[where:match "[^.]+$"] and is_prefixed(new) and #old > 0 and #PREFIX or 0
  for key, value in pairs(old) do
    if math.type(key) == "integer" then
      if where:find "depends_on$" and not new[key] then
        assert.is_truthy(new[value], where)
      else
        assert_kept(value, new[key + shift], where .. "." .. key)
      end
    else
      assert_kept(value, new[key], where .. "." .. key)
    end
  end
end

local function assert_wrapped(path, text, expected)
  local count = 0
  local function look(value, parent)
    if type(value) ~= "table" then
      return
    end
    if #value > #PREFIX - 1 and is_prefixed(value) then
      count = count + 1
      assert.is_truthy(#value > #PREFIX, path .. " has nothing to run in " .. tostring(parent))
    end
    for key, inner in pairs(value) do
      look(inner, key)
    end
  end
  look(values(text))
  assert.are.equal(expected, count, path)
end

-- Containers that are wrapped, by mode "sidecar" or "volume": all but others' helpers.
local EXPECTED = {
  ["ecs/firelens.json"] = 1, ["ecs/mesh.json"] = 1, ["ecs/terraform_list_spaced.json"] = 1, ["ecs/everything.json"] = 2,
  ["ecs/pid_task.json"] = 9, ["ecs/odd_layout.json"] = 2, ["cloudformation/intrinsics.yaml"] = 2, ["compose/many.yaml"] = 3,
  ["kubernetes/deployment.yaml"] = 2, ["ecs/nginx_phpfpm.json"] = 2, ["ecs/celery_agents.json"] = 2, ["ecs/ec2_bridge_gpu.json"] = 2,
  ["ecs/describe_two.json"] = 2, ["ecs/leading_commas.json"] = 2, ["cloudformation/three_tasks.yaml"] = 3,
}

describe("patch", function()
  local all = fixtures()

  it("has more than thirty task definitions to try", function()
    local count = 0
    for _, path in ipairs(all) do
      count = count + #ecs.find(ecs.unwrap(assert(document.read(read(path)))))
    end
    assert.is_truthy(count > 30, count)
  end)

  for _, path in ipairs(all) do
    for _, mode in ipairs(MODES) do
      local is_list = path:find "terraform_list" and mode == "volume"
      it(("wraps %s by --mode=%s, and takes it out again"):format(path:sub(#FOLDER + 1), mode), function()
        local text = read(path)
        local result, report = patch.patch(text, options(mode))
        if is_list then
          assert.is_nil(result)
          assert.is_truthy(table.concat(report.lines, "\n"):find("--mode=sidecar", 1, true))
          return
        end
        assert(result, type(report) == "string" and report or report and table.concat(report.lines, "\n"))
        local before = ecs.unwrap(assert(document.read(text)))
        local is_answer = before.text ~= text:gsub("^\xEF\xBB\xBF", "")
        for i, root in ipairs(values(before.text)) do
          assert_kept(root, values(result)[i], "")
        end
        if mode ~= "build" then
          assert_wrapped(path, result, EXPECTED[path:sub(#FOLDER + 1)] or 1)
        end
        local again, second = patch.patch(result, options(mode))
        assert.are.equal(result, again)
        assert.are.equal(0, second.changed)
        local undone = assert(patch.patch(result, options(mode, { undo = true })))
        if is_answer then
          assert.are.same(values(before.text), values(undone))
        else
          assert.are.equal(text:gsub("\n?$", ""), undone:gsub("\n?$", ""), path)
        end
      end)
    end
  end

  it("keeps the answer of describe-task-definition free of what cannot be registered", function()
    local result = assert(patch.patch(read(FOLDER .. "ecs/describe_answer.json"), options "sidecar"))
    local root = values(result)[1]
    assert.are.equal("described", root.family)
    for _, name in ipairs { "taskDefinitionArn", "revision", "status", "registeredAt", "compatibilities", "tags" } do
      assert.is_nil(root[name])
    end
  end)
end)
