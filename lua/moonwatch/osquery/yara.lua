--- `yara` of a configuration: which files of rules a group has, for the tables yara_file and yara_process.
local cjson = require "cjson"
local text = require "moonwatch.text"

---@class moonwatch.osquery.yara
local M = {}

--- Of one document, and files of one group.
local GROUPS <const>, FILES <const> = 1000, 1000

local function is_list(value)
  return type(value) == "table" and (next(value) == nil or #value > 0)
end

local function files_of(list)
  local files = {}
  for i, file in ipairs(list) do
    if type(file) ~= "string" or i > FILES then
      return nil
    end
    files[i] = file
  end
  return files
end

--- Files by the names of groups.
---@param member any  what the document says
---@param warnings string[]  lines about what has no effect are added
---@return table<string, string[]>
function M.read(member, warnings)
  local groups, count = {}, 0
  if member == nil or member == cjson.null then
    return groups
  elseif type(member) ~= "table" then
    warnings[#warnings + 1] = "yara: is no object; passed over"
    return groups
  end
  if member.file_paths ~= nil then
    warnings[#warnings + 1] = "yara: file_paths has no effect: files are looked through when a query asks, and yara_events is empty"
  end
  if member.signature_urls ~= nil then
    warnings[#warnings + 1] = "yara: signature_urls has no effect: rules are not fetched"
  end
  local wrong = {}
  for name, list in pairs(type(member.signatures) == "table" and member.signatures or {}) do
    local files = type(name) == "string" and is_list(list) and files_of(list)
    count = count + 1
    if files and count <= GROUPS then
      groups[name] = files
    else
      wrong[#wrong + 1] = ("yara: signatures: %s: is no list of at most %d files; passed over"):format(
        text.printable(tostring(name), 60), FILES)
    end
  end
  table.sort(wrong)
  table.move(wrong, 1, #wrong, #warnings + 1, warnings)
  return groups
end

return M
