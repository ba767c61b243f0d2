-- What flags add up to, as `moonwatch config` shows it: sources, precedence, mistakes.
local program = dofile("tests/spec/program.lua")

local function dump(words, environment)
  local command = { program.path, "config", "dump" }
  table.move(words, 1, #words, #command + 1, command)
  local result = program.execute(command, environment)
  local values = {}
  for name, value in result.out:gmatch("([^=\n]*)=([^\n]*)\n") do
    values[name] = value
  end
  return values, result
end

local function explain(name, words, environment)
  local command = { program.path, "config", "explain", name }
  table.move(words, 1, #words, #command + 1, command)
  return program.execute(command, environment)
end

describe("config dump", function()
  it("shows every flag of --help", function()
    local values, result = dump({})
    assert.are.equal(0, result.status)
    assert.are.equal("", result.err)
    local count = 0
    local help = program.run("config", "--help").out
    for name, default in help:gmatch("\n  %-%-([%w_]+)=([^\n]*)") do
      assert.are.equal(default, values[name], name)
      count = count + 1
    end
    assert.is_true(count >= 14)
  end)

  it("may be used as a flag file", function()
    local words = { "--state_dir=/x", "--noaudit_allow_process_events", "--profile=strict" }
    local _, first = dump(words)
    local lines = first.out:gsub("flagfile=[^\n]*\n", "")
    local path = program.write(lines:gsub("%f[^\n\0](%l)", "--%1"), "flags")
    local _, second = dump({ "--flagfile", path })
    program.remove(path)
    assert.are.equal("", second.err)
    assert.are.equal(lines, (second.out:gsub("flagfile=[^\n]*\n", "")))
  end)

  it("takes no other arguments", function()
    local _, result = dump({ "stray" })
    assert.are.equal(2, result.status)
    assert.is_truthy(result.err:find('"stray" is not a flag', 1, true))
  end)
end)

describe("of several sources", function()
  local flags, profile
  setup(function()
    flags = program.write([[
# ours
--ring_size_mib=3
--spool_limit_mib=33
--rule_memory_mib=34
]], "flags")
    profile = program.write([[
return {
  extends = "default",
  flags = {
    ring_size_mib = 2,
    spool_limit_mib = 22,
    rule_memory_mib = 24,
    shutdown_flush_ms = 2222,
  },
}
]], "mine.lua")
  end)
  teardown(function()
    program.remove(flags)
    program.remove(profile)
  end)

  it("the highest wins", function()
    local values, result = dump({ "--ring_size_mib=5", "--profile=" .. profile }, {
      MOONWATCH_FLAGFILE = flags,
      MOONWATCH_RING_SIZE_MIB = "4",
      MOONWATCH_SPOOL_LIMIT_MIB = "44",
    })
    assert.are.equal("", result.err)
    assert.are.equal("5", values.ring_size_mib) -- command line
    assert.are.equal("44", values.spool_limit_mib) -- environment
    assert.are.equal("34", values.rule_memory_mib) -- file
    assert.are.equal("2222", values.shutdown_flush_ms) -- profile
    assert.are.equal("500", values.attach_timeout_ms) -- default
  end)

  it("explain says which one won, and where it is", function()
    local words = { "--flagfile=" .. flags, "--profile=" .. profile }
    local from_file = explain("spool_limit_mib", words)
    assert.are.equal(0, from_file.status)
    local from = "spool_limit_mib=33\n  from flag file: " .. flags .. "\n"
    assert.are.equal(from, from_file.out:sub(1, #from))
    assert.is_truthy(from_file.out:find("8 to 65536, default 256", 1, true))
    local from_profile = explain("shutdown_flush_ms", words).out
    assert.is_truthy(from_profile:find("from profile: " .. profile, 1, true))
    local environment = explain("state_dir", words, { MOONWATCH_STATE_DIR = "/e" }).out
    assert.is_truthy(environment:find("^state_dir=/e\n  from environment\n"), environment)
    assert.is_truthy(explain("profile", words).out:find("from command line", 1, true))
    assert.is_truthy(explain("rules_dir", words).out:find("^rules_dir=\n  from default\n"))
  end)
end)

describe("config explain", function()
  it("says who says which files are watched", function()
    local path = program.write('{ "file_paths": { "etc": ["/etc/mine"] }, "exclude_paths": { "x": ["/srv/tmp/%%"] } }', "config.json")
    local result = program.run("config", "explain", "file_paths", "--config_path=" .. path)
    local all = program.run("config", "explain", "--config_path=" .. path)
    program.remove(path)
    assert.are.equal(0, result.status)
    assert.is_truthy(result.out:find("file_paths: etc: /etc/mine\n  from configuration file: " .. path .. "\n", 1, true), result.out)
    assert.is_truthy(result.out:find("file_paths: binaries: /bin/%\n  from profile: default\n", 1, true))
    assert.is_nil(result.out:find("file_paths: etc: /etc/%", 1, true))
    assert.is_nil(result.out:find("exclude_paths", 1, true))
    assert.is_truthy(all.out:find("exclude_paths: x: /srv/tmp/%%\n  from configuration file: " .. path .. "\n", 1, true))
    assert.is_truthy(all.out:find(result.out, 1, true))
  end)

  it("explains all flags without a name", function()
    local result = program.run("config", "explain")
    assert.are.equal(0, result.status)
    assert.are.equal(select(2, program.run("config", "dump").out:gsub("\n[^#]", "")) + 1,
      select(2, result.out:gsub("\n  from ", "")) - select(2, ("\n" .. result.out):gsub("\n[%w_]+: ", "")))
  end)

  it("knows the nearest name", function()
    local result = program.run("config", "explain", "statedir")
    assert.are.equal(2, result.status)
    assert.is_truthy(result.err:find('did you mean "state_dir"?', 1, true))
  end)
end)

describe("a mistake", function()
  it("on the command line is one of usage", function()
    for _, action in ipairs({ "check", "dump", "explain" }) do
      local result = program.run("config", action, "--state-dir=/x")
      assert.are.equal(2, result.status)
      assert.are.equal("", result.out)
      local says = "moonwatch: unknown flag --state-dir; did you mean --state_dir?\n"
      assert.are.equal(says, result.err)
    end
    assert.are.equal(2, program.run("config", "dump", "--ring_size_mib=0").status)
    assert.are.equal(2, program.run("config", "dump", "--ring_size_mib").status)
    assert.are.equal(2, program.run("config", "dmp").status)
    assert.is_truthy(program.run("config", "dmp").err:find("did you mean dump?", 1, true))
    assert.are.equal(2, program.run("config").status)
  end)

  it("in the environment is one of configuration", function()
    local _, result = dump({}, { MOONWATCH_RING_SIZE_MIB = "many" })
    assert.are.equal(78, result.status)
    assert.is_truthy(result.err:find("MOONWATCH_RING_SIZE_MIB", 1, true))
    assert.is_truthy(result.err:find("from 1 to 256", 1, true))
  end)

  it("in the name of a variable is told, and no more", function()
    local _, result = dump({}, { MOONWATCH_STATEDIR = "/x", MOONWATCH_PORT_80_TCP = "10.0.0.1" })
    assert.are.equal(0, result.status)
    assert.are.equal("moonwatch: environment: MOONWATCH_STATEDIR is no flag, ignored; "
      .. "did you mean MOONWATCH_STATE_DIR?\n", result.err)
  end)

  it("in the flag file is one of configuration, with its line", function()
    local path = program.write("\n--ring_size_mib=2\n--outptus=x\n", "flags")
    local _, result = dump({ "--flagfile=" .. path })
    program.remove(path)
    assert.are.equal(78, result.status)
    local says = "moonwatch: " .. path .. ":3: unknown flag --outptus; did you mean --outputs?\n"
    assert.are.equal(says, result.err)
    _, result = dump({ "--flagfile=/nonexistent" })
    assert.are.equal(78, result.status)
    assert.is_truthy(result.err:find("/nonexistent", 1, true))
  end)
end)

describe("config check", function()
  it("is content with what is shipped", function()
    for _, profile in ipairs({ "default", "minimal", "audit", "strict" }) do
      local result = program.run("config", "check", "--profile=" .. profile)
      assert.are.equal("", result.err)
      assert.are.equal(0, result.status)
      local says = "^rules: [1-9]%d*, refused: 0\nconfiguration: good\n$"
      assert.is_truthy(result.out:find(says), result.out)
    end
  end)

  it("names what is wrong with the outputs", function()
    local result = program.run("config", "check", "--outputs=alert/text:stderr")
    assert.are.equal(78, result.status)
    assert.is_truthy(result.err:find("--outputs: ", 1, true))
    assert.is_truthy(result.err:find("alert", 1, true))
  end)

  it("looks at the file of --config_path as the sensor will", function()
    local function check(document)
      local path = program.write(document, "config.json")
      local result = program.run("config", "check", "--config_path=" .. path)
      program.remove(path)
      return result
    end
    local good = check '{ "options": { "read_max": 1000 }, "file_paths": { "up": ["/srv/%%"], "etc": [] } }'
    assert.are.equal("", good.err)
    assert.are.equal(0, good.status)
    local unknown = check '{ "options": { "nosuch": 1 } }'
    assert.are.equal(1, unknown.status)
    assert.is_truthy(unknown.err:find("options: 1 are not known here: nosuch", 1, true), unknown.err)
    for document, says in pairs {
      ['{ "file_paths": { "up": ["srv"] } }'] = "'srv' is not an absolute path",
      ['{ "file_paths": { "up": ["/proc/%%"] } }'] = "/proc",
      ['{\n"file_paths": 3 }'] = "line 2: file_paths is no object",
      ['{\n\n"file_paths" }'] = "line 3: ",
    } do
      local bad = check(document)
      assert.are.equal(78, bad.status, document)
      assert.is_truthy(bad.err:find(says, 1, true), bad.err)
    end
    local missing = program.run("config", "check", "--config_path=/nonexistent")
    assert.are.equal(78, missing.status)
    assert.is_truthy(missing.err:find("/nonexistent: No such file", 1, true), missing.err)
  end)

  it("finds rules that will be refused", function()
    local rule = program.write("return {", "broken.lua")
    local result = program.run("config", "check", "--rules_dir=" .. rule:match("^(.*)/"))
    program.remove(rule)
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("broken.lua:1", 1, true), result.err)
    assert.is_truthy(result.out:find("refused: 1", 1, true))
  end)
end)
