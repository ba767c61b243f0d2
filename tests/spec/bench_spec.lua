-- What `make bench` makes of its measurements: statistics, verdicts, and docs/overhead.md.

package.path = "tests/bench/?.lua;" .. package.path
local cjson = require "cjson"
local loads = require "loads"
local results = require "results"

local moonwatch = assert(os.getenv "MW_BUILD") .. "/bin/moonwatch"

local function write(path, lines)
  local file <close> = assert(io.open(path, "w"))
  for _, line in ipairs(lines) do
    file:write(cjson.encode(line), "\n")
  end
end

local function load_line(load, variant, values)
  return { kind = "load", load = load, variant = variant, metric = results.load_named(load).metric, values = values,
    wall_ms = values, cpu_ms = values }
end

describe("the table of loads", function()
  it("names each load once, with targets of variants that there are", function()
    local is_variant, seen = { cpu_percent = true, watchers_rss_mib = true }, {}
    for _, variant in ipairs(loads.variants) do
      is_variant[variant.name] = true
    end
    assert.are.equal("native", loads.variants[1].name)
    for _, load in ipairs(loads.loads) do
      assert.is_nil(seen[load.name])
      seen[load.name] = true
      assert.is_string(load.title)
      assert.is_string(load.what)
      assert.is_true(#load.command > 0)
      for name in pairs(load.targets) do
        assert.is_true(is_variant[name], load.name .. ": " .. name)
      end
    end
  end)
end)

describe("results", function()
  it("are summed up by five numbers", function()
    assert.are.same({ 1, 2, 3, 4, 5 }, results.five { 5, 3, 1, 4, 2 })
    assert.are.same({ 7, 7, 7, 7, 7 }, results.five { 7 })
    assert.are.same({ 1, 1.25, 1.5, 1.75, 2 }, results.five { 2, 1 })
  end)

  it("are ratios round by round, above 1 when worse, of times and of rates", function()
    local all = { load_line("spawn", "native", { 100, 200, 100 }), load_line("spawn", "events", { 110, 220, 120 }) }
    local row = results.tables(all, results.load_named "spawn")[1].rows[2]
    assert.are.equal(1.1, row.five[3])
    assert.are.equal("met", row.verdict)

    all = { load_line("redis", "native", { 300 }), load_line("redis", "events", { 200 }) }
    row = results.tables(all, results.load_named "redis")[1].rows[2]
    assert.are.equal(1.5, row.five[3])
    assert.are.equal("not met", row.verdict)
  end)

  it("say when a target lies between the quartiles", function()
    local all = {
      load_line("getpid", "native", { 100, 100, 100, 100 }),
      load_line("getpid", "events", { 99, 100, 100.5, 109 }),
    }
    assert.are.equal("met ~", results.tables(all, results.load_named "getpid")[1].rows[2].verdict)
  end)

  it("take a check's share of CPU apart from that of doing nothing", function()
    local all = {
      { kind = "service", variant = "events", checks = 10, idle_s = 10, busy_s = 5, processes = {
        { name = "moonwatch-guard", idle_ns = 10e6, busy_ns = 5e6, rss_kib = 1024, pss_kib = 256 },
        { name = "moonwatch-trace", idle_ns = 0, busy_ns = 50e6, rss_kib = 1024, pss_kib = 256 },
        { name = "moonwatch-sens", idle_ns = 0, busy_ns = 50e6, rss_kib = 9216, pss_kib = 256 },
      } },
    }
    local service = results.services(all, results.load_named "service")[1]
    assert.are.equal(1, service.processes[1].idle_ms_per_s)
    assert.are.equal(0, service.processes[1].check_ms)
    assert.are.equal(5, service.processes[2].check_ms)
    -- 1 ms a second, and 10 ms each 5 seconds
    assert.is_true(math.abs(service.sums[1].value - 0.3) < 1e-9)
    assert.are.equal("not met", service.sums[1].verdict)
    assert.are.equal(2, service.sums[2].value)
  end)
end)

describe("docs/overhead.md", function()
  local folder = assert(os.getenv "TMPDIR")
  local machine = { kind = "machine", moonwatch = "moonwatch 0", kernel = "Linux", cpus = 2, model = "some CPU",
    virtual = "no", memory_mib = 1, cc = "cc", strace = "6", nginx = "1", postgresql = "2", redis = "3",
    date = "2026-01-01", load = "0.1", rounds = 3, only = "", variants = "", project = "", files = "tmpfs" }
  local measured = {
    machine,
    { kind = "missing", variant = "notify", why = "there is no such engine" },
    load_line("start", "native", { 1 }),
    load_line("start", "events", { 4 }),
    load_line("spawn", "native", { 100 }),
    load_line("spawn", "events", { 125 }),
    { kind = "execs", variant = "events", load = "spawn", recorded = 1000, kernel = 1001 },
    { kind = "end", load = "0.2", seconds = 9, failed = 0 },
  }

  local function make_page()
    write(folder .. "/results", measured)
    return os.execute(("'%s' lua tests/bench/docs.lua '%s/results' '%s/page' 2>/dev/null"):format(moonwatch, folder, folder))
  end

  it("comes from the results of a whole run", function()
    assert.is_true(make_page())
    local file <close> = assert(io.open(folder .. "/page"))
    local page = file:read "a"
    assert.is_truthy(page:find("| spawn storm: fork and exec | 100.0 ms | 1.250 (1.250 to 1.250) | 1.20 | not met |", 1, true))
    assert.is_truthy(page:find("**notify** was left out: there is no such engine", 1, true))
    assert.is_truthy(page:find("| 1001 | 1001 | 1000 | NOT the same |", 1, true))
  end)

  it("is not made from a selection", function()
    machine.only = "spawn"
    assert.is_falsy(make_page())
  end)
end)
