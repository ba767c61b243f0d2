-- boto3, which fetches the task's credentials.
local container = require "tests.system.container"
local python_of = require "tests.fixtures.aws.python"

local sdk, why = python_of.find()

describe("the service", function()
  container.describe("AWS's SDK", {
    image = [[
mkdir -p /app
cat >/app/app.py <<'END'
import boto3
import signal
held = boto3.Session().get_credentials().get_frozen_credentials()
with open("/run/said", "w") as said:
    print("key", held.access_key, file=said)
signal.sigwait({signal.SIGTERM})
END
]],
    beside = container.credentials,
    environment = container.credentials_environment,
    command = (sdk and sdk:find "^/" and sdk or "$HERE/" .. tostring(sdk)) .. " /app/app.py",
    outside = [[
until_true grep -q key "/proc/$init/root/run/said"
cat "/proc/$init/root/run/said"
]],
    says = { "key ASIAEXAMPLE" },
    ran = { "python" },
  }, not sdk and why)
end)
