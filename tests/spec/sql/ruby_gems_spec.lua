-- ruby_gems: what gem list says, and gemspecs of all ages.
local worlds = require "tests.spec.sql.world"

local GEMS = "var/lib/gems/3.1.0/specifications/"

-- As Gem::Specification#to_ruby writes them.
local SPEC = [[
# -*- encoding: utf-8 -*-
# stub: nokogiri 1.15.0 x86_64-linux lib

Gem::Specification.new do |s|
  s.name = "nokogiri".freeze
  s.version = "1.15.0"
  s.platform = "x86_64-linux".freeze

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :required_rubygems_version=
  s.metadata = { "homepage_uri" => "https://wrong.example" } if s.respond_to? :metadata=
  s.require_paths = ["lib".freeze]
  s.authors = ["Ann \"A\" Other".freeze, "Bo".freeze]
  s.description = "Name: \"x\" s.summary = no".freeze
  s.homepage = "https://nokogiri.example".freeze
  s.licenses = ["MIT".freeze, "Ruby".freeze]
  s.summary = "XML = parsed".freeze
end
]]

local OLD = [[
Gem::Specification.new do |s|
  s.name = %q{old-thing}
  s.version = "0.9.1"
  s.author = 'One'
  s.summary = %q{not understood}
end
]]

describe("ruby_gems", function()
  it("has the gems of gem list", function()
    local text = worlds.output("gem list --quiet")
    if not text then
      return pending("no gem here")
    end
    local theirs = {}
    for name, versions in text:gmatch("(%S+) %(([^)\n]+)%)") do
      for version in versions:gsub("default: ", ""):gmatch("([^%s,]+)[^,]*") do
        theirs[#theirs + 1] = name .. "|" .. version .. "\n"
      end
    end
    local folders = {}
    for folder in worlds.output("gem environment path"):gmatch("[^:\n]+") do
      folders[#folders + 1] = ("'%s/specifications', '%s/specifications/default'"):format(folder, folder)
    end
    local world <close> = worlds.at()
    assert.are.equal("", worlds.difference(table.concat(theirs), (world:lines(
      "SELECT DISTINCT name, version FROM ruby_gems WHERE directory IN (" .. table.concat(folders, ", ") .. ")"))))
  end)

  it("reads specifications", function()
    local world <close> = worlds.new {
      [GEMS .. "nokogiri-1.15.0-x86_64-linux.gemspec"] = SPEC,
      [GEMS .. "default/json-2.6.1.gemspec"] = "# stub: json 2.6.1 ruby lib\n",
      [GEMS .. "old-thing-0.9.1.gemspec"] = OLD,
      ["app/vendor/bundle/ruby/3.1.0/specifications/rack-3.0.8.gemspec"] = "# stub: rack 3.0.8 ruby lib\n",
      ["app/own.gemspec"] = "# stub: own 1 ruby lib\n",
    }
    local rows, warnings = world:rows(
      "SELECT name, version, platform, summary, author, license, homepage, directory FROM ruby_gems ORDER BY name")
    assert.is_nil(warnings)
    local at = "/" .. GEMS:sub(1, -2)
    assert.are.same({
      { "json", "2.6.1", "ruby", "", "", "", "", at .. "/default" },
      {
        "nokogiri", "1.15.0", "x86_64-linux", "XML = parsed", 'Ann "A" Other, Bo', "MIT, Ruby",
        "https://nokogiri.example", at,
      },
      { "old-thing", "0.9.1", "ruby", "", "One", "", "", at },
      { "rack", "3.0.8", "ruby", "", "", "", "", "/app/vendor/bundle/ruby/3.1.0/specifications" },
    }, rows)
    assert.are.equal("rack\n", world:lines("SELECT name FROM ruby_gems WHERE " ..
      "directory = '/app/vendor/bundle/ruby/3.1.0/specifications'"))
  end)

  it("knows names and versions by the file's name where nothing else tells", function()
    local names = {
      ["a-1.0"] = "a|1.0|ruby",
      ["google-cloud-v2-1.2.3"] = "google-cloud-v2|1.2.3|ruby",
      ["x-2fa-0.1.pre-java"] = "x-2fa|0.1.pre|java",
      ["ffi-1.15-arm64-darwin-22"] = "ffi|1.15|arm64-darwin-22",
      ["seven-7"] = "seven|7|ruby",
    }
    for name, expected in pairs(names) do
      local world <close> = worlds.new { [GEMS .. name .. ".gemspec"] = "\0" }
      assert.are.equal(expected .. "\n", world:lines("SELECT name, version, platform FROM ruby_gems"))
    end
  end)

  it("survives what is no specification", function()
    local world <close> = worlds.new {
      [GEMS .. "nothing.gemspec"] = "",
      [GEMS .. "long-1.gemspec"] = "# stub: " .. ("x"):rep(1 << 20) .. "\n" .. ("  s.authors = [\""):rep(100000),
    }
    local rows, warnings = world:lines("SELECT length(name) FROM ruby_gems")
    assert.are.equal("1023\n", rows)
    assert.are.equal("ruby_gems: /" .. GEMS .. "nothing.gemspec: names no package\n", warnings)
  end)
end)
