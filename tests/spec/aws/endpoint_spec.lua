-- Names of endpoints by partition, FIPS and dual stack.  The module is loaded with an environment of our own.
local function endpoint(environment)
  local loaded = package.loaded["moonwatch.environment"]
  package.loaded["moonwatch.environment"] = {
    get = function(name)
      return environment[name]
    end,
  }
  package.loaded["moonwatch.aws.endpoint"] = nil
  local made = require "moonwatch.aws.endpoint"
  package.loaded["moonwatch.environment"] = loaded
  package.loaded["moonwatch.aws.endpoint"] = nil
  return made
end

local FIPS, DUAL = { AWS_USE_FIPS_ENDPOINT = "true" }, { AWS_USE_DUALSTACK_ENDPOINT = "true" }
local BOTH = { AWS_USE_FIPS_ENDPOINT = "true", AWS_USE_DUALSTACK_ENDPOINT = "TRUE" }

describe("an endpoint", function()
  for _, case in ipairs {
    { {}, "ssm", "us-east-1", "ssm.us-east-1.amazonaws.com" },
    { {}, "secretsmanager", "mx-central-1", "secretsmanager.mx-central-1.amazonaws.com" },
    { {}, "sts", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn" },
    { {}, "ssm", "us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com" },
    { {}, "ssm", "eusc-de-east-1", "ssm.eusc-de-east-1.amazonaws.eu" },
    { {}, "ssm", "us-iso-east-1", "ssm.us-iso-east-1.c2s.ic.gov" },
    { {}, "ssm", "us-isob-east-1", "ssm.us-isob-east-1.sc2s.sgov.gov" },
    { {}, "ssm", "somewhere-new-9", "ssm.somewhere-new-9.amazonaws.com" },
    { FIPS, "ssm", "us-east-1", "ssm-fips.us-east-1.amazonaws.com" },
    { FIPS, "ssm", "us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com" },
    { FIPS, "secretsmanager", "us-gov-west-1", "secretsmanager-fips.us-gov-west-1.amazonaws.com" },
    { DUAL, "ssm", "us-east-1", "ssm.us-east-1.api.aws" },
    { DUAL, "ssm", "cn-north-1", "ssm.cn-north-1.api.amazonwebservices.com.cn" },
    { DUAL, "secretsmanager", "us-east-1", "secretsmanager.us-east-1.amazonaws.com" },
    { BOTH, "ssm", "us-east-1", "ssm-fips.us-east-1.api.aws" },
    { BOTH, "secretsmanager", "us-east-1", "secretsmanager-fips.us-east-1.amazonaws.com" },
  } do
    it("is " .. case[4], function()
      local found = endpoint(case[1]).find(case[2], case[3])
      assert.are.same({ url = "https://" .. case[4] .. "/", host = case[4], path = "/", plain = false }, found)
    end)
  end

  it("may be another by the environment", function()
    local function find(environment)
      return endpoint(environment).find("ssm", "us-east-1")
    end
    assert.are.same({ url = "https://vpce-1.ssm.us-east-1.vpce.amazonaws.com/", host = "vpce-1.ssm.us-east-1.vpce.amazonaws.com",
      path = "/", plain = false }, (find { AWS_ENDPOINT_URL_SSM = "https://vpce-1.ssm.us-east-1.vpce.amazonaws.com" }))
    assert.are.same({ url = "http://localhost:4566/a/b/", host = "localhost:4566", path = "/a/b/", plain = true },
      (find { AWS_ENDPOINT_URL = "http://localhost:4566/a/b", AWS_ENDPOINT_URL_SECRETS_MANAGER = "https://x" }))
    assert.are.equal("x", find({ AWS_ENDPOINT_URL = "https://x:443/" }).host)
    assert.are.equal("ssm.us-east-1.amazonaws.com",
      find({ AWS_ENDPOINT_URL = "https://x", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "true" }).host)
    for _, url in ipairs { "x", "https://", "https://user@host/", "https://host/?q", "file:///x", "https://a b/" } do
      assert.is_nil((find { AWS_ENDPOINT_URL = url }), url)
    end
  end)
end)
