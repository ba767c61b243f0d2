-- What cannot be done safely is refused, with the reason, and nothing is written.
local images = require "moonwatch.patch.images"
local patch = require "moonwatch.patch"

local function options(more)
  local made = {
    mode = "sidecar", image = "registry/moonwatch:1", name = "moonwatch", include = {}, exclude = {}, environment = {},
    image_config = images.finder({}, true),
  }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function definition(container, more)
  return ('{"family":"f","cpu":"256","memory":"512",%s"containerDefinitions":[%s]}'):format(more or "", container)
end

local function reason(text, more)
  local result, report = patch.patch(text, options(more))
  assert.is_nil(result)
  return type(report) == "string" and report or table.concat(report.lines, "\n")
end

local function assert_refused(text, wanted, more)
  local said = reason(text, more)
  assert.is_truthy(said:find(wanted, 1, true), said)
end

describe("patch refuses", function()
  it("texts that are no document it knows", function()
    for text, wanted in pairs {
      [""] = "empty",
      ["   \n"] = "empty",
      ["{"] = "line 1, column 2: here must be a name in double quotes",
      ['{"a":1,}'] = "line 1, column 8: ",
      ['{"a":1} x'] = "something stands behind the end",
      ['{"a":"\1"}'] = "a control character",
      ['{"a":01x}'] = "what is 01x?",
      [("["):rep(70) .. ("]"):rep(70)] = "nested too deep",
      ['{"a":1}'] = "no task definition of ECS",
      ["a: b\n"] = "no task definition of ECS",
      ["a: [b\n"] = "line 2, column 1: ",
      ["\xff\xfe"] = "invalid leading UTF-8 octet",
      [(" "):rep((1 << 20) + 1)] = "larger than 1048576 bytes",
    } do
      assert_refused(text, wanted)
    end
  end)

  it("containers whose command is not known", function()
    assert_refused(definition '{"name":"a","image":"nginx"}', "--image-config=FILE (docker inspect nginx)")
    assert_refused('Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n' ..
      '      - Name: a\n        Image: !Ref I\n', "--image-config=a=FILE")
    assert_refused('Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n' ..
      '      - Name: a\n        Image: i\n        EntryPoint: !If [X, [a], [b]]\n', "its EntryPoint is computed (!If)")
    assert_refused('Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions: !Ref X\n',
      "its containers are computed")
    assert_refused(definition '{"name":"a","image":"nginx","entryPoint":"sh -c x"}', "one text, where a list of words should be")
    assert_refused(definition '{"name":"a","image":"x"}', "nothing to run", {
      image_config = function()
        return { entrypoint = {}, cmd = {} }
      end,
    })
    assert_refused("services:\n  a:\n    image: x\n    entrypoint: a 'b\n", "a quote (') that does not end")
  end)

  it("what moonwatch does not run on, or cannot work with", function()
    assert_refused(definition('{"name":"a","image":"x","entryPoint":["a"]}',
      '"runtimePlatform":{"operatingSystemFamily":"WINDOWS_SERVER_2022_CORE"},'), "it is for Windows")
    assert_refused(definition '{"name":"a","image":"x","entryPoint":["a"],"linuxParameters":{"capabilities":{"drop":["SYS_PTRACE"]}}}',
      "it drops SYS_PTRACE")
    assert_refused(definition '{"name":"moonwatch","image":"x","entryPoint":["a"]},{"name":"b","image":"x","entryPoint":["a"]}',
      "choose another with --name")
    assert_refused(definition('{"name":"a","image":"x","entryPoint":["a"],"command":["' .. ("x"):rep(65000) .. '"]}'),
      "ECS takes 65536")
    assert_refused("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  nodeSelector: {kubernetes.io/os: windows}\n" ..
      "  containers:\n  - name: a\n    image: x\n    command: [a]\n", "it is for windows")
  end)

  it("an image's configuration that is another's", function()
    local found = assert(images.read '{"architecture":"arm64","os":"linux","config":{"Entrypoint":["/a"]}}')
    local finder = images.finder({ { config = found[1] } }, true)
    assert_refused(definition '{"name":"a","image":"nginx"}', "is for arm64, the task for amd64", { image_config = finder })
    for text, wanted in pairs {
      ["x"] = "no JSON",
      ["{}"] = "no member config",
      ['{"config":{"Entrypoint":{"a":1},"Cmd":[1]}}'] = "Cmd is no list",
      ['{"os":"windows","config":{}}'] = "it is for windows",
    } do
      local none, message = images.read(text)
      assert.is_nil(none)
      assert.is_truthy(message:find(wanted, 1, true), message)
    end
  end)

  it("to put the sensor before itself, whoever wrote it there", function()
    local from_image = {
      image_config = function()
        return { entrypoint = { "/opt/moonwatch/bin/moonwatch", "run", "--", "/app" }, cmd = {} }
      end,
    }
    for container, more in pairs {
      ['{"name":"a","image":"x","entryPoint":["/opt/moonwatch/bin/moonwatch","run","--","/app"]}'] = {},
      ['{"name":"a","image":"x","entryPoint":["/sensor/bin/moonwatch-run","/app"]}'] = {},
      ['{"name":"a","image":"x","entryPoint":["/opt/moonwatch/bin/entrypoint.sh"],"command":["/app"]}'] = {},
      ['{"name":"a","image":"x"}'] = from_image,
    } do
      local text = definition(container)
      local result, report = patch.patch(text, options(more))
      assert.are.equal(text, result)
      assert.are.same({ "a: left alone: the sensor stands before its command already" }, report.lines)
    end
  end)

  it("nothing that was left out", function()
    local text = definition '{"name":"a","image":"x"},{"name":"b","image":"x","entryPoint":["b"]}'
    local result, report = patch.patch(text, options { exclude = { "a*" } })
    assert(result)
    assert.are.equal(1, report.changed)
    assert.is_truthy(table.concat(report.lines, "\n"):find("a: left alone: excluded", 1, true))
  end)

  it("damaged documents, or wraps them so that they can be taken out again exactly", function()
    local texts = {}
    local pipe <close> = assert(io.popen "find tests/fixtures/patch -mindepth 2 -type f | sort")
    for path in pipe:lines() do
      local file <close> = assert(io.open(path, "rb"))
      texts[#texts + 1] = not path:find "/describe" and file:read "a" or nil
    end
    local noises = { "", "{", "}", "]", "\n", ":", "- ", '"', "\0", "!X ", "&a ", "*a", "#", "? ", "|\n", "> ", " ", "\r" }
    local modes = { "sidecar", "volume", "build" }
    local known = function()
      return { entrypoint = { "/e" }, cmd = {} }
    end
    local seed = tonumber(os.getenv "MOONWATCH_TEST_SEED") or os.time()
    math.randomseed(seed)
    local refused, wrapped = 0, 0
    for _ = 1, 1000 do
      local whole = texts[math.random(#texts)]
      local at, n = math.random(#whole), math.random(0, 12)
      local damaged = whole:sub(1, at - 1) .. noises[math.random(#noises)] .. whole:sub(at + n)
      local chosen = options { mode = modes[math.random(3)], image_config = known }
      local result, report = patch.patch(damaged, chosen)
      if not result then
        assert.is_truthy(report, "seed " .. seed)
        refused = refused + 1
      elseif report.changed > 0 then
        chosen.undo = true
        local undone = assert(patch.patch(result, chosen))
        assert.are.equal((damaged:gsub("[\r\n]*$", "")), (undone:gsub("[\r\n]*$", "")), "seed " .. seed)
        wrapped = wrapped + 1
      end
    end
    assert.is_truthy(refused > 100 and wrapped > 100, ("%d refused, %d wrapped, seed %d"):format(refused, wrapped, seed))
  end)
end)
