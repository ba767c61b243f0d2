--- Writes docs/reference/rules.md, and docs/reference/attack-layer.json for MITRE's ATT&CK Navigator, from the shipped rules.
---
--- usage: moonwatch lua docs/rules.lua RULES PAGE LAYER
local attack = require "moonwatch.item.attack"
local text = require "moonwatch.text"

local folder, page, layer = arg[1], arg[2], arg[3]
local LAYER_VERSIONS = '{"attack":"19","navigator":"5.1.0","layer":"4.5"}'
local SCORES = { info = 1, low = 2, medium = 3, high = 4, critical = 5 }

--- Tactics in ATT&CK's order.
local TACTICS = { "initial_access", "execution", "persistence", "privilege_escalation", "defense_evasion", "credential_access",
  "discovery", "lateral_movement", "collection", "command_and_control", "exfiltration", "impact" }

local function lines_of(command)
  local handle <close> = assert(io.popen(command))
  local list = {}
  for line in handle:lines() do
    list[#list + 1] = line
  end
  return list
end

local function cell(value)
  return (value:gsub("\\", "\\\\"):gsub("|", "\\|"):gsub("<", "\\<"):gsub("\n", " "))
end

local lines = {}

local function put(format, ...)
  lines[#lines + 1] = select("#", ...) > 0 and format:format(...) or format
end

--- A rule is a file that returns a table; those that are shipped may be run as scripts of ours.
local function rules_of(tactic)
  local list = {}
  for _, path in ipairs(lines_of(("LC_ALL=C ls %s/%s/*.lua 2>/dev/null"):format(folder, tactic))) do
    list[#list + 1] = dofile(path)
  end
  return list
end

local function technique(id)
  local path = id:gsub("%.", "/")
  local known = attack.of { attack = { id } }[1]
  return ("[%s](https://attack.mitre.org/techniques/%s/)%s"):format(id, path, known.name and " " .. known.name or "")
end

local function put_rule(rule)
  put("\n### %s\n", rule.id)
  put("%s%s. **%s**%s\n", cell(rule.summary), rule.enabled == false and " (has to be enabled)" or "", rule.severity,
    rule.respond and rule.respond ~= "alert" and (", responds by " .. rule.respond) or "")
  put("%s\n", cell(rule.why))
  local techniques = {}
  for i, id in ipairs(rule.attack or {}) do
    techniques[i] = technique(id)
  end
  put("- ATT&CK: %s", table.concat(techniques, ", "))
  local kinds, seen = {}, {}
  local function add(on)
    for _, kind in ipairs(on or {}) do
      if not seen[kind] then
        seen[kind] = true
        kinds[#kinds + 1] = "`" .. kind .. "`"
      end
    end
  end
  add(rule.on)
  for _, step in ipairs(rule.sequence or {}) do
    add(step.on)
  end
  put("- Events: %s", table.concat(kinds, ", "))
  for _, one in ipairs(rule.false_positives or {}) do
    put("- False positive: %s", cell(one))
  end
  for _, one in ipairs(rule.references or {}) do
    put("- <%s>", one)
  end
end

local all, by_technique, ids = {}, {}, {}

put "# Rules"
put "\nThe detections that come with moonwatch, in `rules/`; written by `make docs` from the rules themselves. How one is written, changed"
put "and switched off: [howto/rules.md](../howto/rules.md). [attack-layer.json](attack-layer.json) shows them in MITRE's ATT&CK"
put "Navigator.\n"

for _, tactic in ipairs(TACTICS) do
  local rules = rules_of(tactic)
  if rules[1] then
    all[#all + 1] = { tactic = tactic, rules = rules }
  end
end

put "| rule | severity | ATT&CK | |"
put "| --- | --- | --- | --- |"
local count = 0
for _, group in ipairs(all) do
  for _, rule in ipairs(group.rules) do
    count = count + 1
    put("| [%s](#%s) | %s | %s | %s |", rule.id, rule.id, rule.severity, table.concat(rule.attack or {}, ", "),
      cell(rule.summary))
    for _, id in ipairs(rule.attack or {}) do
      if not by_technique[id] then
        by_technique[id] = { score = 0 }
        ids[#ids + 1] = id
      end
      local found = by_technique[id]
      found[#found + 1] = rule.id
      found.score = math.max(found.score, SCORES[rule.severity])
    end
  end
end
put("\n%d rules.", count)

for _, group in ipairs(all) do
  put("\n## %s", attack.tactics[group.tactic].name)
  for _, rule in ipairs(group.rules) do
    put_rule(rule)
  end
end

local function write(path, body)
  local file <close> = assert(io.open(path, "w"))
  file:write(body)
end

write(page, table.concat(lines, "\n") .. "\n")

table.sort(ids)
local techniques = {}
for i, id in ipairs(ids) do
  local found = by_technique[id]
  techniques[i] = ('    {"techniqueID":%s,"score":%d,"enabled":true,"comment":%s}'):format(text.json(id), found.score,
    text.json(table.concat(found, ", ")))
end
write(layer, ([[
{
  "name": "moonwatch",
  "versions": %s,
  "domain": "enterprise-attack",
  "description": "Detections that come with moonwatch; the score is the highest severity, 1 (info) to 5 (critical)",
  "gradient": {"colors": ["#ffffffff", "#ff6666ff"], "minValue": 0, "maxValue": 5},
  "techniques": [
%s
  ]
}
]]):format(LAYER_VERSIONS, table.concat(techniques, ",\n")))
