-- What an image in ECR runs: with the role of the task, and every name, address and port as AWS has it, in a network of its own.
-- moto checks signature and policy of ecr:GetAuthorizationToken; the registry takes nobody without the token.
local python_of = require "tests.fixtures.aws.python"
local support = require "tests.system.support"

local IMAGE <const> = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:7"

local SCRIPT <const> = [[
set -eu
ip link set lo up
ip address add 169.254.170.2/32 dev lo
mount --bind DIR/hosts /etc/hosts
await() { i=0; until [ -e "$1" ]; do i=$((i + 1)); [ $i -lt 1200 ]; sleep 0.05; done; }
python3 tests/fixtures/net/server.py DIR &
await DIR/ports.json
PYTHON tests/fixtures/aws/moto_world.py DIR 443 &
python3 tests/fixtures/patch/ecr_registry.py DIR/server.pem DIR/registry &
await DIR/world.json
await DIR/registry
mount --bind DIR/ca.pem /etc/ssl/certs/ca-certificates.crt
patch() { # ROLE NAME=VALUE…: as who runs with that role, by the address of the container's credentials
  mkdir DIR/$1
  python3 tests/fixtures/net/server.py DIR/$1 DIR/$1.json 169.254.170.2:80 &
  agent=$!
  await DIR/$1/ports.json
  role=$1
  shift
  env -i PATH="$PATH" HTTPS_PROXY=http://127.0.0.1:1 "$@" MOONWATCH patch --image=r/moonwatch:1 -o DIR/$role.out DIR/task.json \
    2>DIR/$role.err && : >DIR/$role.ok
  kill $agent
  wait $agent || :
}
patch role AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/0123 || :
patch poor AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/0123 || :
patch wrong AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=x || :
patch none || :
]]

describe("an image in ECR", function()
  local dir = support.new_path()
  local why

  local function said(role)
    return support.read(("%s/%s.err"):format(dir, role))
  end

  local function is_there(path)
    return support.run("test -e " .. path).code == 0
  end

  setup(function()
    local python
    python, why = python_of.find()
    if python and support.run("unshare -nm true").code ~= 0 then
      why = "no network namespace can be made here"
    end
    if why then
      return
    end
    assert(os.execute("mkdir " .. dir))
    support.write(dir .. "/hosts", "127.0.0.1 localhost api.ecr.us-east-1.amazonaws.com\n" ..
      "127.0.0.2 123456789012.dkr.ecr.us-east-1.amazonaws.com\n" ..
      "127.0.0.3 prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com\n")
    support.write(dir .. "/task.json", ('{"family":"f","cpu":"256","memory":"512","containerDefinitions":[{"name":"a","image":"%s"}]}')
      :format(IMAGE))
    for _, name in ipairs { "wrong", "none" } do
      support.write(("%s/%s.json"):format(dir, name), "{}")
    end
    support.write(dir .. "/script", (SCRIPT:gsub("DIR", dir):gsub("PYTHON", python):gsub("MOONWATCH", support.moonwatch)))
    local result = support.run(("unshare -nm sh %s/script"):format(dir))
    assert.are.equal(0, result.code, result.err)
  end)

  local function test(name, body)
    it(name, function()
      if why then
        return pending(why)
      end
      body()
    end)
  end

  test("is asked with the token that the task's role gets", function()
    assert.is_true(is_there(dir .. "/role.ok"), said "role")
    assert.is_truthy(said "role":find("a: /ecr serve\n", 1, true), said "role")
    local result = support.read(dir .. "/role.out"):gsub("%s", "")
    assert.is_truthy(result:find('"entryPoint":["/opt/moonwatch/bin/moonwatch","run","--","/ecr"]', 1, true), result)
    assert.is_truthy(result:find('"command":["serve"]', 1, true), result)
    -- The store of blobs refuses who brings the registry's token along.
    local host = "123456789012.dkr.ecr.us-east-1.amazonaws.com /v2/team/app/"
    local requests = support.read(dir .. "/registry.log")
    local wanted = host .. "manifests/7 401\n" .. host .. "manifests/7 200\n" .. host .. "blobs/sha256:"
    assert.is_truthy(requests:find(wanted, 1, true), requests)
    assert.is_truthy(requests:find("s3.us-east-1.amazonaws.com /blob 200\n", 1, true), requests)
  end)

  test("is not told to a role that may not log in, and the line says what it lacks", function()
    assert.is_false(is_there(dir .. "/poor.ok"))
    assert.is_false(is_there(dir .. "/poor.out"))
    local text = said "poor"
    for _, wanted in ipairs { "a: cannot be wrapped", "AccessDenied", "ecr:GetAuthorizationToken", ":role/poor", "nothing was changed" } do
      assert.is_truthy(text:find(wanted, 1, true), text)
    end
  end)

  test("is not told to a key that AWS does not know", function()
    assert.is_false(is_there(dir .. "/wrong.ok"))
    assert.is_truthy(said "wrong":find("cannot be wrapped: .*Invalid"), said "wrong")
    assert.is_truthy(said "wrong":find("--image-config=FILE can say it", 1, true), said "wrong")
  end)

  test("is not told to nobody", function()
    assert.is_false(is_there(dir .. "/none.ok"))
    assert.is_truthy(said "none":find("it wants credentials of AWS", 1, true), said "none")
  end)
end)
