-- npm_packages: what npm ls says of a tree, and what package.json files get wrong.
local worlds = require "tests.spec.sql.world"

local function manifest(name, version, more)
  return ('{"name": "%s", "version": "%s"%s}'):format(name, version, more or "")
end

--- What `npm ls --parseable --long` says, as PATH|NAME|VERSION lines, without the root of the tree.
local function npm(arguments, root)
  local text = worlds.output("npm ls --all --parseable --long " .. arguments)
  if not text then
    return nil
  end
  local lines = {}
  for path, name, version in text:gmatch("([^\n:]+):(@?[^\n:@]+)@([^\n:]*)[^\n]*") do
    if path:find("/node_modules/", 1, true) then
      lines[#lines + 1] = ("%s|%s|%s\n"):format(path:sub(#root + 1), name, version)
    end
  end
  return table.concat(lines)
end

local QUERY = "SELECT substr(path, 1, length(path) - length('/package.json')), name, version FROM npm_packages"

local TREE = {
  ["app/package.json"] = manifest("app", "1.0.0", ', "dependencies": {"a": "*", "@s/b": "*"}'),
  ["app/node_modules/a/package.json"] = manifest("a", "1.2.3", [[, "dependencies": {"c": "^2.0.0"},
    "description": "An \u00e4 \"quoted\" \ud83d\ude00 text", "license": "MIT", "homepage": "https://a.example",
    "author": {"name": "Ann", "email": "a@example.org"}]]),
  ["app/node_modules/a/lib/esm/package.json"] = '{"type": "module"}',
  ["app/node_modules/a/node_modules/c/package.json"] = manifest("c", "2.0.0-beta.1"),
  ["app/node_modules/@s/b/package.json"] = manifest("@s/b", "0.0.1", [[, "dependencies": {"c": "^1.0.0"},
    "licenses": [{"type": "ISC", "url": "x"}, {"type": "BSD"}], "author": "Bo <b@example.org>"]]),
  ["app/node_modules/c/package.json"] = manifest("c", "1.0.0"),
  ["app/node_modules/.bin/package.json"] = manifest("no", "1"),
  ["srv/other/node_modules/d/package.json"] = manifest("d", "4"),
}

describe("npm_packages", function()
  it("has the packages of npm ls", function()
    local world <close> = worlds.new(TREE)
    local theirs = npm("--prefix '" .. world.root .. "/app'", world.root)
    if not theirs then
      return pending("no npm here")
    end
    assert.is_truthy(theirs:find("|a|1.2.3\n", 1, true), theirs)
    assert.are.equal("", worlds.difference(theirs, (world:lines(QUERY .. " WHERE directory = '/app'"))))
  end)

  it("has those that are installed for all on this machine", function()
    local theirs = npm("--global", "")
    if not theirs then
      return pending("no npm here")
    end
    local directory = worlds.output("npm root --global"):match("^(.*)/node_modules")
    local world <close> = worlds.at()
    assert.are.equal("", worlds.difference(theirs, (world:lines(QUERY .. " WHERE directory = '" .. directory .. "'"))))
  end)

  it("tells what is known of a package", function()
    local world <close> = worlds.new(TREE)
    local rows, warnings = world:rows("SELECT * FROM npm_packages ORDER BY path")
    assert.is_nil(warnings)
    local at = "/app/node_modules/"
    assert.are.same({
      { "@s/b", "0.0.1", "", "Bo <b@example.org>", "ISC, BSD", "", at .. "@s/b/package.json", "/app", "0" },
      { "c", "2.0.0-beta.1", "", "", "", "", at .. "a/node_modules/c/package.json", "/app", "1" },
      { "a", "1.2.3", 'An ä "quoted" 😀 text', "Ann", "MIT", "https://a.example", at .. "a/package.json", "/app", "0" },
      { "c", "1.0.0", "", "", "", "", at .. "c/package.json", "/app", "0" },
      { "d", "4", "", "", "", "", "/srv/other/node_modules/d/package.json", "/srv/other", "0" },
    }, rows)
  end)

  it("looks below one folder only", function()
    local world <close> = worlds.new(TREE)
    local function names(where)
      return (world:lines("SELECT name FROM npm_packages WHERE " .. where):gsub("\n", " "))
    end
    assert.are.equal("d ", names("directory = '/srv/other'"))
    assert.are.equal("d ", names("directory = '/srv/other/'"))
    assert.are.equal("", names("directory = '/srv'"))
    assert.are.equal("", names("directory = 'srv'"))
    assert.are.equal("c d ", names("directory IN ('/app/node_modules/a', '/srv/other', '/nowhere') ORDER BY name"))
    assert.are.equal("@s/b a c ", names("directory = '/app' AND max_depth = 0 ORDER BY name"))
    assert.are.equal("@s/b a c c ", names("directory = '/app' AND max_depth = 1 ORDER BY name"))
  end)

  it("does not follow links, and finds what pnpm links to", function()
    local world <close> = worlds.new {
      ["app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json"] = manifest("a", "1.0.0"),
    }
    world:shell("cd app/node_modules && ln -s .pnpm/a@1.0.0/node_modules/a a && ln -s .. .pnpm/loop && ln -s / root")
    assert.are.equal("a|/app|1\n", world:lines("SELECT name, directory, depth FROM npm_packages"))
  end)

  it("has what broken files still have, with a warning for each", function()
    local at = "app/node_modules/"
    local world <close> = worlds.new {
      [at .. "cut/package.json"] = '{"name": "cut", "version": "1", "license": "MI',
      [at .. "empty/package.json"] = "",
      [at .. "deep/package.json"] = '{"name": "deep", "x": ' .. ("["):rep(100000),
      [at .. "list/package.json"] = "[1]",
      [at .. "odd/package.json"] = '{"name": 1, "version": {"a": []}, "author": [], "license": null, "homepage": true}',
      [at .. "large/package.json"] = '{"name": "large", "readme": "' .. ("x"):rep(9 << 20) .. '"}',
    }
    world:shell("mkdir -p " .. at .. "fifo " .. at .. "dir/package.json && mkfifo " .. at .. "fifo/package.json")
    local rows, warnings = world:lines("SELECT name, version FROM npm_packages ORDER BY name")
    -- Without a name of its own, a package has its folder's.
    assert.are.equal("cut|1\ndeep|\nempty|\nlarge|\nlist|\nodd|\n", rows)
    local seen = {}
    for name in warnings:gmatch("npm_packages: /app/node_modules/(%l+)/package%.json: [^\n]+\n") do
      seen[#seen + 1] = name
    end
    table.sort(seen)
    assert.are.same({ "cut", "deep", "empty", "large", "large", "list" }, seen)
  end)
end)
