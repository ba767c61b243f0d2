-- container/: what users copy is what `moonwatch patch` makes, and what the tools of others take.
local cjson = require "cjson"
local program = require "tests.spec.program"
local python_of = require "tests.fixtures.aws.python"
local yaml = require "moonwatch.yaml"

local TMP <const> = os.getenv "TMPDIR"
local EXAMPLES <const> = "container/examples/"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function output_of(command)
  local pipe <close> = assert(io.popen(command .. " 2>&1"))
  local out = pipe:read "a"
  return out, pipe:close()
end

local function is_there(name)
  return os.execute(("command -v %s >/dev/null"):format(name)) ~= nil
end

-- A Dockerfile's instructions: { "FROM", "scratch" } …
local function instructions(path)
  local list = {}
  for line in read(path):gsub("\n%s*#[^\n]*", ""):gsub("\\\n%s*", ""):gmatch "[^\n]+" do
    local word, rest = line:match "^(%u+) (.*)$"
    if word then
      list[#list + 1] = { word, rest }
    end
  end
  return list
end

local function find(list, word)
  for i, item in ipairs(list) do
    if item[1] == word then
      return i, item[2]
    end
  end
end

describe("container/Dockerfile", function()
  local list = instructions "container/Dockerfile"

  it("declares the volume behind what it holds", function()
    local volume, path = find(list, "VOLUME")
    assert.are.same({ "/opt/moonwatch" }, cjson.decode(path))
    local copied = {}
    for i, item in ipairs(list) do
      if item[1] == "COPY" then
        assert.is_true(i < volume)
        copied[item[2]] = true
      end
    end
    assert.are.same({ [". /moonwatch/"] = true, [". /opt/moonwatch/"] = true }, copied)
  end)

  it("starts a program that an empty volume over /opt/moonwatch does not hide", function()
    assert.are.equal("scratch", list[1][2])
    local _, entrypoint = find(list, "ENTRYPOINT")
    assert.are.same({ "/moonwatch/bin/moonwatch" }, cjson.decode(entrypoint))
    local _, cmd = find(list, "CMD")
    assert.are.same({ "version" }, cjson.decode(cmd))
  end)

  it("has the version of the program", function()
    local version = cjson.decode(program.run("version", "--json").out).version
    assert.is_truthy(read "container/Dockerfile":find("ARG VERSION=" .. version .. "\n", 1, true))
    assert.is_truthy(read "container/helm/moonwatch/Chart.yaml":find('appVersion: "' .. version .. '"', 1, true))
  end)
end)

describe("container/examples", function()
  it("are what moonwatch patch makes of the files beside them", function()
    local said, ok = output_of(("%sgenerate %s %s/examples"):format(EXAMPLES, program.path, TMP))
    assert.is_truthy(ok, said)
    for _, folder in ipairs { "ecs", "cloudformation", "kubernetes" } do
      local names, count = output_of(("ls %s/examples/%s"):format(TMP, folder)), 0
      for name in names:gmatch "%S+" do
        count = count + 1
        assert.are.equal(read(("%s/examples/%s/%s"):format(TMP, folder, name)), read(EXAMPLES .. folder .. "/" .. name))
      end
      assert.is_true(count > 0)
      -- None is there that nobody makes; web.json and web.yaml are what they are made of.
      assert.are.equal(count + 1, select(2, output_of("ls " .. EXAMPLES .. folder):gsub("%S+", "")))
    end
  end)

  it("build an image with the image's own entry point, and CMD said again", function()
    local list = instructions(EXAMPLES .. "nginx/Dockerfile")
    local config = cjson.decode(read(EXAMPLES .. "nginx/image.json"))[1].Config
    local _, entrypoint = find(list, "ENTRYPOINT")
    local wanted = { "/opt/moonwatch/bin/moonwatch", "run", "--" }
    table.move(config.Entrypoint, 1, #config.Entrypoint, #wanted + 1, wanted)
    assert.are.same(wanted, cjson.decode(entrypoint))
    local _, cmd = find(list, "CMD")
    assert.are.same(config.Cmd, cjson.decode(cmd))
  end)

  it("can be registered with ECS, as moto has it", function()
    local python, why = python_of.find()
    if not python then
      pending(why)
      return
    end
    local said, ok = output_of(("%s tests/fixtures/patch/register.py %secs/*.json"):format(python, EXAMPLES))
    assert.are.equal("", said)
    assert.is_truthy(ok)
  end)

  it("pass cfn-lint", function()
    local python, why = python_of.find()
    if not python then
      pending(why)
      return
    end
    local said, ok = output_of(("%s %scloudformation/*.yaml"):format((python:gsub("python$", "cfn-lint")), EXAMPLES))
    assert.is_truthy(ok, said)
  end)

  it("are what Kubernetes takes", function()
    local python, why = python_of.find()
    if not python then
      pending(why)
      return
    end
    local said, ok = output_of(("%s tests/fixtures/patch/kubernetes.py %skubernetes/*.yaml"):format(python, EXAMPLES))
    assert.are.equal("", said)
    assert.is_truthy(ok)
  end)

  it("are YAML, and ask for no capability on Kubernetes", function()
    local documents, message = yaml.parse(read(EXAMPLES .. "kubernetes/web.volume.yaml"))
    assert(documents, message)
    assert.are.equal(2, #documents)
    assert.is_nil(read(EXAMPLES .. "kubernetes/web.volume.yaml"):find("PTRACE", 1, true))
  end)
end)

describe("container/aws/terraform/task", function()
  local FOLDER <const> = "container/aws/terraform/task"
  local containers = cjson.decode(read(EXAMPLES .. "ecs/web.json")).containerDefinitions
  local image = cjson.decode(read(EXAMPLES .. "nginx/image.json"))[1].Config
  containers[1].entryPoint, containers[1].command = image.Entrypoint, image.Cmd

  local function in_folder(command)
    return output_of(("cd %s/task && env -u TF_CLI_CONFIG_FILE timeout 60 terraform %s -no-color"):format(TMP, command))
  end

  local function apply(variables)
    local file <close> = assert(io.open(TMP .. "/task/in.auto.tfvars.json", "w"))
    file:write(cjson.encode(variables))
    file:close()
    return in_folder "apply -auto-approve"
  end

  setup(function()
    assert(os.execute(("cp -r %s %s/task"):format(FOLDER, TMP)))
  end)

  it("wraps what Terraform computes as moonwatch patch does", function()
    if not is_there "terraform" then
      pending "terraform is not here"
      return
    end
    local said, ok = in_folder "init -backend=false"
    assert.is_truthy(ok, said)
    said, ok = in_folder "validate"
    assert.is_truthy(ok, said)
    assert.is_truthy(os.execute("terraform fmt -check " .. FOLDER .. " >/dev/null 2>&1"))
    for _, mode in ipairs { "sidecar", "volume" } do
      said, ok = apply {
        image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/moonwatch:0.1.0", mode = mode,
        enroll = "ssm:/moonwatch/enroll", containers = containers,
      }
      assert.is_truthy(ok, said)
      local state = cjson.decode(read(TMP .. "/task/terraform.tfstate"))
      local given = cjson.decode(state.outputs.container_definitions.value)
      local wanted = cjson.decode(read(("%secs/web.%s.json"):format(EXAMPLES, mode))).containerDefinitions
      for _, container in ipairs(wanted) do
        container.dockerLabels = nil -- what patch --undo goes by
      end
      assert.are.same(wanted, given)
    end
    containers[2].entryPoint = nil
    said, ok = apply { image = "x", containers = containers }
    assert.is_nil(ok)
    assert.is_truthy(said:find("Each container must say its entryPoint", 1, true), said)
  end)
end)

describe("container/helm/moonwatch", function()
  local CHART <const> = "container/helm/moonwatch"

  it("has a description and values that are YAML", function()
    for _, name in ipairs { "Chart.yaml", "values.yaml" } do
      assert(yaml.parse(read(CHART .. "/" .. name)))
    end
  end)

  it("opens and closes its blocks, and uses what it defines", function()
    local all = ""
    for name in output_of("ls " .. CHART .. "/templates"):gmatch "%S+" do
      local text = read(CHART .. "/templates/" .. name)
      local depth = 0
      for action in text:gmatch "{{%-?%s*(%l+)" do
        depth = depth + ((action == "if" or action == "with" or action == "range" or action == "define") and 1 or
          action == "end" and -1 or 0)
        assert.is_true(depth >= 0, name)
      end
      assert.are.equal(0, depth, name)
      all = all .. text
    end
    for used in all:gmatch 'include "([%w.]+)"' do
      assert.is_truthy(all:find(('define "%s"'):format(used), 1, true), used)
    end
    assert.is_nil(all:find("SYS_PTRACE", 1, true))
  end)

  -- Values as the documentation has them, the least there may be, and all there are.
  local LEAST <const> = "--set moonwatch.image=r/moonwatch:1,image=nginx,entrypoint={/docker-entrypoint.sh}"
  local VALUES <const> = {
    LEAST,
    "--set moonwatch.image=REGISTRY/moonwatch:0.1.0 --set moonwatch.enrollSecret=ssm:/moonwatch/enroll --set image=nginx:1.27 "
      .. "--set 'entrypoint={/docker-entrypoint.sh}' --set 'cmd={nginx,-g,daemon off;}' "
      .. "--set serviceAccount.roleArn=arn:aws:iam::111122223333:role/web-task",
    "-f tests/fixtures/patch/all-values.yaml",
  }

  local function helm()
    if is_there "helm" then
      return "helm"
    end
    local own = os.getenv "MW_BUILD" .. "/helm"
    return os.execute("test -x " .. own) and own or nil
  end

  it("passes helm lint", function()
    local command = helm()
    if not command then
      pending "helm is not here; tests/fixtures/patch/helm builds it where Go is new enough"
      return
    end
    for _, values in ipairs(VALUES) do
      local said, ok = output_of(("%s lint --strict %s %s"):format(command, values, CHART))
      assert.is_truthy(ok, said)
    end
    for left_out in LEAST:gmatch "[^ ,]+=[^,]+" do
      local values = LEAST:gsub(left_out:gsub("%p", "%%%0"), "replicas=1")
      local said, ok = output_of(("%s template web %s %s"):format(command, values, CHART))
      assert.is_nil(ok, said)
      assert.is_truthy(said:find(": " .. left_out:match "[^=]+" .. ": ", 1, true), said)
    end
  end)

  it("makes what Kubernetes takes", function()
    local command = helm()
    local python, why = python_of.find()
    if not command or not python then
      pending(why or "helm is not here; tests/fixtures/patch/helm builds it where Go is new enough")
      return
    end
    for i, values in ipairs(VALUES) do
      local path = ("%s/chart-%d.yaml"):format(TMP, i)
      local said, ok = output_of(("%s template web %s %s >%s"):format(command, values, CHART, path))
      assert.is_truthy(ok, said)
      assert(yaml.parse(read(path)))
      assert.is_nil(read(path):find("SYS_PTRACE", 1, true))
      said, ok = output_of(("%s tests/fixtures/patch/kubernetes.py %s"):format(python, path))
      assert.are.equal("", said)
      assert.is_truthy(ok)
    end
  end)
end)

describe("docs/containers.md", function()
  it("points to what is there", function()
    local count = 0
    for target in read "docs/containers.md":gmatch "%]%(([%w._/-]+)%)" do
      count = count + 1
      assert.is_truthy(os.execute("test -e docs/" .. target), target)
    end
    assert.is_true(count > 8)
  end)
end)
