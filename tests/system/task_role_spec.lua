-- Role, Parameter Store and Secrets Manager where ECS and AWS have them: no address is another.
local canary = require "tests.system.canary"
local cjson = require "cjson"
local python_of = require "tests.fixtures.aws.python"
local support = require "tests.system.support"

local run = support.run

describe("in a network of its own, as ECS has it,", function()
  it("the task's role gives the secret", function()
    local python, why = python_of.find()
    if not python then
      pending(why)
      return
    end
    if run("unshare -nm true").code ~= 0 then
      pending "no network namespace can be made here"
      return
    end
    local dir = support.new_path()
    assert(os.execute("mkdir " .. dir))
    support.write(dir .. "/canary", canary.TEXT)
    support.write(dir .. "/hosts", "127.0.0.1 localhost ssm.us-east-1.amazonaws.com secretsmanager.us-east-1.amazonaws.com\n")
    -- No address is overridden: names and ports are AWS's, and so is the address of the credentials.
    support.write(dir .. "/script", ([[
set -eu
ip link set lo up
ip address add 169.254.170.2/32 dev lo
mount --bind %s/hosts /etc/hosts
await() { i=0; until [ -e "$1" ]; do i=$((i + 1)); [ $i -lt 1200 ]; sleep 0.05; done; }
python3 tests/fixtures/net/server.py %s &
await %s/ports.json
%s tests/fixtures/aws/moto_world.py %s 443 &
await %s/world.json
mount --bind %s/ca.pem /etc/ssl/certs/ca-certificates.crt
mkdir %s/agent
python3 tests/fixtures/net/server.py %s/agent %s/role.json 169.254.170.2:80 &
await %s/agent/ports.json
for secret in ssm:/moonwatch/enrol "secretsmanager:moonwatch/enrol#key" ssm:/moonwatch/none; do
  state=%s/state.$(echo "$secret" | tr -c 'a-z\n' _)
  env -i PATH="$PATH" HTTP_PROXY=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1 AWS_EXECUTION_ENV=AWS_ECS_FARGATE AWS_REGION=us-east-1 \
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/0123 \
    "$1" run --state_dir="$state" --enroll_secret="$secret" -- sh -c 'i=0; while [ $i -lt 100 ]; do
      i=$((i + 1))
      "$1" sql --list --header=false --state_dir="$2" >"$2.told" \
        "select text from moonwatch_health where component = '\''enroll_secret'\''"
      grep -q "read\|NotFound" "$2.told" && exit 0
      sleep 0.1
    done' sh "$1" "$state"
  cat "$state.told"
done
]]):gsub("%%s", dir, 3):gsub("%%s", python, 1):gsub("%%s", dir))
    local result = run(("unshare -nm sh %s/script %s"):format(dir, support.moonwatch))
    assert.are.equal(0, result.code, result.err)
    local told = canary.lines(result.out)
    assert.are.equal("read", told[1], result.err)
    assert.are.equal("read", told[2], result.err)
    assert.matches("ParameterNotFound", told[3] or "")
    assert.are.equal("number", type(cjson.decode(support.read(dir .. "/ports.json")).http))
    assert.are.same({}, canary.search(dir .. "/canary", "files", dir .. "/state.ssm__moonwatch_enrol"))
  end)
end)
