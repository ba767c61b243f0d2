-- The network, beside what ip(8) says, and its files, beside what getent(1) says.
local tables = dofile("tests/spec/tables.lua")
local json = require "cjson"

local here = tables.open()
local HAS_IP = tables.has("ip")

local function ip(arguments)
  return json.decode(tables.shell("ip -j -d " .. arguments))
end

local function sorted(list)
  table.sort(list)
  return list
end

local function text_of(rows)
  local list = {}
  for i, row in ipairs(rows) do
    for k, value in ipairs(row) do
      row[k] = tostring(math.tointeger(value) or value)
    end
    list[i] = table.concat(row, " ")
  end
  return sorted(list)
end

local function needs_ip()
  if not HAS_IP then
    pending("no program `ip` here")
  end
  return HAS_IP
end

describe("interface_addresses", function()
  it("are those of ip", function()
    if not needs_ip() then
      return
    end
    local expected = {}
    for _, link in ipairs(ip "addr") do
      for _, address in ipairs(link.addr_info) do
        expected[#expected + 1] = { link.ifname, address["local"], address.broadcast or "", address.address or "" }
      end
    end
    assert.is_true(#expected > 0)
    assert.are.same(text_of(expected),
      text_of(here:rows "SELECT interface, address, broadcast, point_to_point FROM interface_addresses"))
  end)

  it("have their mask", function()
    assert.are.same({ "255.0.0.0" },
      here:list "SELECT mask FROM interface_addresses WHERE address = '127.0.0.1' AND interface = 'lo'")
    for _, mask in ipairs(here:list "SELECT mask FROM interface_addresses WHERE address = '::1'") do
      assert.are.equal("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", mask)
    end
  end)
end)

describe("interface_details", function()
  it("are those of ip", function()
    if not needs_ip() then
      return
    end
    local expected = {}
    for i, link in ipairs(ip "-s link") do
      expected[i] = { link.ifname, link.address, link.mtu }
    end
    assert.are.same(text_of(expected), text_of(here:rows "SELECT interface, mac, mtu FROM interface_details"))
  end)

  it("counts, and knows the kind", function()
    local file = assert(io.open("/sys/class/net/lo/statistics/rx_bytes"))
    local bytes = file:read("n")
    file:close()
    local row = here:rows [[SELECT type, flags & 8, ibytes, ipackets >= 0, last_change, link_speed, pci_slot
      FROM interface_details WHERE interface = 'lo']][1]
    assert.are.same({ 772, 8, 1, -1, 0, "" }, { row[1], row[2], row[4], row[5], row[6], row[7] })
    assert.is_true(row[3] >= bytes)
  end)
end)

describe("interface_ipv6", function()
  it("tells the settings of each interface that has it", function()
    local names = {}
    for _, name in ipairs(here:list "SELECT interface FROM interface_details") do
      local file = io.open("/proc/sys/net/ipv6/conf/" .. name .. "/hop_limit")
      if file then
        names[#names + 1] = name .. " " .. file:read("n")
        file:close()
      end
    end
    assert.are.same(sorted(names), text_of(here:rows "SELECT interface, hop_limit FROM interface_ipv6"))
  end)

  it("joins the settings of all and of one", function()
    local function row(forwarding, all, own, advertisements)
      local at = "/sys/net/ipv6/conf/"
      local made = tables.open {
        proc = tables.root {
          [at .. "all/accept_redirects"] = all, [at .. "lo/accept_redirects"] = own, [at .. "lo/hop_limit"] = "64\n",
          [at .. "lo/forwarding"] = forwarding, [at .. "lo/accept_ra"] = advertisements,
        },
      }
      return made:rows("SELECT hop_limit, forwarding_enabled, redirect_accept, rtadv_accept FROM interface_ipv6")
    end
    assert.are.same({ { 64, 0, 1, 1 } }, row("0\n", "1\n", "0\n", "1\n"))
    assert.are.same({ { 64, 1, 0, 0 } }, row("1\n", "1\n", "0\n", "1\n"))
    assert.are.same({ { 64, 1, 1, 1 } }, row("1\n", "1\n", "1\n", "2\n"))
  end)
end)

describe("routes", function()
  it("are those of ip", function()
    if not needs_ip() then
      return
    end
    local types = { unicast = "gateway", ["local"] = "local", broadcast = "broadcast", anycast = "anycast" }
    local expected = {}
    for _, family in ipairs { "-4", "-6" } do
      for _, route in ipairs(ip(family .. " route show table all")) do
        local address, bits = route.dst:match("^(.+)/(%d+)$")
        if route.dst == "default" then
          address, bits = family == "-4" and "0.0.0.0" or "::", 0
        elseif not address then
          address, bits = route.dst, family == "-4" and 32 or 128
        end
        for _, way in ipairs(route.nexthops or { route }) do
          expected[#expected + 1] = { address, bits, way.gateway or "", route.prefsrc or "", way.dev or "",
            route.metric or 0, types[route.type or "unicast"] or "other" }
        end
      end
    end
    assert.are.same(text_of(expected),
      text_of(here:rows "SELECT destination, netmask, gateway, source, interface, metric, type FROM routes"))
  end)

  it("over several ways have a row for each, in a network of their own", function()
    local two = "ip link add name m1 type veth peer name m2"
    if not os.execute("unshare -n " .. two .. " 2>/dev/null") then
      pending("no network namespace with two interfaces can be made here")
      return
    end
    local out = tables.shell([[unshare -n sh -ec '
      ]] .. two .. [[

      ip link set lo up
      ip addr add 10.1.0.1/24 dev m1 && ip link set m1 up
      ip addr add 10.2.0.1/24 dev m2 && ip link set m2 up
      ip route add 10.9.0.0/16 mtu 1280 hoplimit 7 metric 5 nexthop via 10.1.0.2 dev m1 nexthop via 10.2.0.2 dev m2
      ip route add blackhole 10.8.0.0/16
      ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:01 dev m1 nud permanent
      "$0" sql --list --header=false "SELECT destination, netmask, gateway, interface, mtu, metric, hopcount, type
        FROM routes WHERE destination LIKE \"10.9%\" OR destination LIKE \"10.8%\";
        SELECT address, mac, interface, permanent FROM arp_cache" ' ]] .. dofile("tests/spec/program.lua").path .. " 2>&1")
    local lines = {}
    for line in out:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    assert.are.same(sorted { "10.8.0.0|16|||0|0|0|other", "10.9.0.0|16|10.1.0.2|m1|1280|5|7|gateway",
      "10.9.0.0|16|10.2.0.2|m2|1280|5|7|gateway", "10.1.0.2|02:00:00:00:00:01|m1|1" },
      sorted(lines))
  end)
end)

describe("arp_cache", function()
  it("is that of ip", function()
    if not needs_ip() then
      return
    end
    local expected = {}
    for _, neighbour in ipairs(ip "-4 neigh") do
      expected[#expected + 1] = { neighbour.dst, neighbour.lladdr or "00:00:00:00:00:00", neighbour.dev }
    end
    assert.are.same(text_of(expected), text_of(here:rows "SELECT address, mac, interface FROM arp_cache"))
  end)
end)

describe("dns_resolvers", function()
  it("takes resolv.conf apart", function()
    local made = tables.over {
      ["/etc/resolv.conf"] = "# c\nnameserver 192.0.2.1\n nameserver fd00::1 \ndomain old.example\n;x\n"
        .. "search a.example  b.example\nsortlist 10.0.0.0/255.0.0.0 10.1.0.0\noptions ndots:5 rotate timeout:1\n"
        .. "nameserver 192.0.2.3\nnameserver 192.0.2.4\nnameserver\nbroken",
    }
    local rows = made:rows "SELECT id, type, address, netmask, options & 0x4000 FROM dns_resolvers"
    assert.are.same({
      { 0, "nameserver", "192.0.2.1", "32", 0x4000 }, { 1, "nameserver", "fd00::1", "32", 0x4000 },
      { 2, "nameserver", "192.0.2.3", "32", 0x4000 }, { 0, "sortlist", "10.0.0.0", "255.0.0.0", 0x4000 },
      { 1, "sortlist", "10.1.0.0", false, 0x4000 }, { 0, "search", "a.example", false, 0x4000 },
      { 1, "search", "b.example", false, 0x4000 },
    }, rows)
  end)

  it("are those of this machine", function()
    local expected = {}
    for line in tables.shell("cat /etc/resolv.conf"):gmatch("[^\n]+") do
      expected[#expected + 1] = line:match("^%s*nameserver%s+(%S+)")
    end
    assert.are.same({ table.unpack(expected, 1, 3) },
      here:list "SELECT address FROM dns_resolvers WHERE type = 'nameserver'")
  end)
end)

describe("etc_hosts", function()
  it("has the lines of the file, under both its names", function()
    local made = tables.over {
      ["/etc/hosts"] = "127.0.0.1\tlocalhost  me # x y\r\n# 1.2.3.4 no\n::1 six\nalone\n\n 192.0.2.9 padded \n",
    }
    local expected = { { "127.0.0.1", "localhost me" }, { "::1", "six" }, { "192.0.2.9", "padded" } }
    assert.are.same(expected, made:rows "SELECT address, hostnames FROM etc_hosts")
    assert.are.same(expected, made:rows "SELECT address, hostnames FROM hosts")
    local lines = tables.lines(tables.shell("sed 's/#.*//' /etc/hosts | awk 'NF > 1 {print $1}'"))
    assert.are.equal(#lines, #here:rows "SELECT * FROM etc_hosts")
  end)

  it("can be that of another process", function()
    assert.are.same(here:list "SELECT hostnames FROM etc_hosts",
      here:list "SELECT hostnames FROM etc_hosts WHERE pid_with_namespace = 1")
  end)
end)

describe("etc_services and etc_protocols", function()
  it("are those of getent", function()
    if not io.open("/etc/services") then
      pending("no /etc/services here")
      return
    end
    local expected = {}
    for i, words in ipairs(tables.lines(tables.shell("getent -s files services"))) do
      for k = 2, #words do
        local port, protocol = words[k]:match("^(%d+)/(%S+)$")
        if port then
          expected[i] = { words[1], port, protocol }
          break
        end
      end
    end
    assert.is_true(#expected > 50)
    assert.are.same(text_of(expected), text_of(here:rows "SELECT name, port, protocol FROM etc_services"))
    expected = {}
    for i, words in ipairs(tables.lines(tables.shell("getent -s files protocols"))) do
      expected[i] = { words[1], words[2] }
    end
    assert.are.same(text_of(expected), text_of(here:rows "SELECT name, number FROM etc_protocols"))
  end)

  it("take their lines apart", function()
    local made = tables.over {
      ["/etc/services"] = "http 80/tcp www  web # WorldWideWeb\nbad\nx 1\ny z/udp\n#c 1/tcp\n",
      ["/etc/protocols"] = "tcp\t6\tTCP\t# transmission control\nudp 17\nbad\n",
    }
    assert.are.same({ { "http", 80, "tcp", "www  web", "WorldWideWeb" }, { "y", false, "udp", "", "" } },
      made:rows "SELECT * FROM etc_services")
    assert.are.same({ { "tcp", 6, "TCP", "transmission control" }, { "udp", 17, "", "" } },
      made:rows "SELECT * FROM etc_protocols")
  end)

  it("are bounded", function()
    local many = tables.over { ["/etc/services"] = ("s 1/tcp\n"):rep(700000) }
    assert.are.same({ (4 << 20) // 8 }, many:list "SELECT count(*) FROM etc_services")
    assert.is_truthy(many:warnings():find("/etc/services: only the first 4194304 bytes", 1, true))
    local long = tables.over { ["/etc/services"] = "a 1/tcp " .. ("x"):rep(100000) .. "\nb 2/tcp\n" }
    assert.are.same({ "b" }, long:list "SELECT name FROM etc_services")
  end)
end)
