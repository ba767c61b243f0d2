-- container/aws: what users copy into their accounts is valid.
local cjson = require "cjson"
local aws = require "moonwatch.aws.reference"
local python_of = require "tests.fixtures.aws.python"

local FOLDER <const> = "container/aws/"

local function output_of(command)
  local pipe <close> = assert(io.popen(command .. " 2>&1"))
  local out = pipe:read "a"
  local ok = pipe:close()
  return out, ok
end

local function read(path)
  local file <close> = assert(io.open(FOLDER .. path))
  return file:read "a"
end

local function statements(path)
  local policy = cjson.decode(read(path))
  assert.are.equal("2012-10-17", policy.Version)
  return policy.Statement
end

describe("container/aws", function()
  it("has policies that allow the one call, on the one secret", function()
    for path, allowed in pairs {
      ["iam/ssm.json"] = { "ssm:GetParameter", "ssm" },
      ["iam/secretsmanager.json"] = { "secretsmanager:GetSecretValue", "secretsmanager" },
      ["iam/kms.json"] = { "kms:Decrypt", "kms" },
    } do
      local list = statements(path)
      assert.are.equal(1, #list, path)
      assert.are.equal("Allow", list[1].Effect)
      assert.are.equal(allowed[1], list[1].Action)
      assert.are.equal(allowed[2], aws.arn(list[1].Resource).service, path)
      assert.is_nil(list[1].Resource:find("*", 1, true))
    end
    assert.are.equal("ecs-tasks.amazonaws.com", statements("iam/trust.json")[1].Principal.Service)
  end)

  it("has CloudFormation templates that cfn-lint accepts", function()
    local python, why = python_of.find()
    if not python then
      pending(why)
      return
    end
    local out, ok = output_of(("%s %scloudformation/*.yaml"):format((python:gsub("python$", "cfn-lint")), FOLDER))
    assert.is_truthy(ok, out)
  end)

  it("has Terraform modules that are HCL, and whose names are there", function()
    local python, why = python_of.find()
    if not python then
      pending(why)
      return
    end
    local out, ok = output_of(("%s tests/fixtures/patch/terraform.py %sterraform/*"):format(python, FOLDER))
    assert.are.equal("", out)
    assert.is_truthy(ok)
  end)

  -- A folder of providers, as `terraform providers mirror` makes it, with Amazon's in it.
  local function providers()
    local out = output_of("find ~/.terraform.d /usr/local/share/terraform /usr/share/terraform /opt -maxdepth 5 -type d "
      .. "-path '*/registry.terraform.io/hashicorp/aws' -print -quit")
    return os.getenv "TERRAFORM_PLUGIN_DIR" or out:match "(/[^\n]-)/registry%.terraform%.io/"
  end

  it("has Terraform modules that terraform validates", function()
    if not os.execute "command -v terraform >/dev/null" then
      pending "terraform is not here"
      return
    end
    local build = os.getenv("TMPDIR") .. "/terraform"
    for _, module in ipairs { "ssm", "secretsmanager" } do
      local copy = build .. "-" .. module
      assert(os.execute(("cp -r %sterraform/%s %s"):format(FOLDER, module, copy)))
      local plugins = providers()
      local init = plugins and "-plugin-dir=" .. plugins or ""
      local out, ok = output_of(("cd %s && env -u TF_CLI_CONFIG_FILE timeout 20 terraform init -backend=false -no-color %s"):format(
        copy, init))
      if not ok then
        pending("terraform finds no provider; name a folder with hashicorp/aws in TERRAFORM_PLUGIN_DIR: "
          .. out:gsub("%s+", " "):sub(1, 200))
        return
      end
      out, ok = output_of(("cd %s && env -u TF_CLI_CONFIG_FILE terraform validate -no-color"):format(copy))
      assert.is_truthy(ok, out)
      out, ok = output_of(("terraform fmt -check %s"):format(copy))
      assert.is_truthy(ok, out)
    end
  end)
end)
