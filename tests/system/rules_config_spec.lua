-- Rules changed by a configuration, while they run: the member moonwatch.rules.
local cjson = require "cjson"
local support = require "tests.system.support"
local watched = require "tests.system.watched"

after_each(function()
  watched.end_all()
end)

describe("a configuration", function()
  it("changes rules without a restart, and gives them back when it says nothing of them", function()
    local path, alerts, tool = support.new_path(), support.new_path(), support.new_path()
    assert.are.equal(0, support.run(("mkdir %s && ln -s /bin/true %s/nmap"):format(tool, tool)).code)
    support.write(path, "{}")
    local app = watched.start(("--config_path=%s --outputs=alerts/json:file=%s"):format(path, alerts))
    local function severity()
      app:run(tool .. "/nmap -sS 10.0.0.1")
      local last
      for _, alert in ipairs(support.json_lines(alerts)) do
        last = alert.rule.id == "network_recon_tool" and alert.rule.severity or last
      end
      return last
    end
    local function await_severity(wanted)
      app:await(function()
        return severity() == wanted
      end, 60)
    end
    await_severity "medium"
    support.write(path, cjson.encode { moonwatch = { rules = { override = { network_recon_tool = { severity = "low" } } } } })
    await_severity "low"
    -- What is no good changes nothing, and is told of.
    support.write(path, cjson.encode { moonwatch = { rules = { override = { network_recon_tool = { severity = "loud" } } } } })
    app:await(function()
      return app:said():find("moonwatch.rules", 1, true)
    end, 60)
    assert.are.equal("low", severity())
    support.write(path, "{}")
    await_severity "medium"
    assert.are.equal(0, app:stop())
  end)
end)
