--- Identifiers of the SPDX License List that packages commonly name; what is none of them is passed on as a text.
---@class moonwatch.sbom.licenses
local M = {}

local IDS = [[
0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0-Perl Artistic-2.0 blessing BlueOak-1.0.0
BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-4-Clause BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-4.0
CC0-1.0 CDDL-1.0 CDDL-1.1 curl ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.2 FSFAP FTL GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only
GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG ISC LGPL-2.0-only LGPL-2.0-or-later
LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng libtiff MIT MIT-0 MPL-1.1 MPL-2.0 MS-PL MulanPSL-2.0
NCSA OFL-1.1 OLDAP-2.8 OpenSSL PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 Ruby SSPL-1.0 TCL Unicode-3.0 Unicode-DFS-2016
Unlicense UPL-1.0 Vim W3C WTFPL X11 Zlib ZPL-2.1]]

local EXCEPTIONS = [[
Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0 Font-exception-2.0 GCC-exception-3.1
LLVM-exception OpenJDK-assembly-exception-1.0 openvpn-openssl-exception]]

local function set_of(text)
  local set = {}
  for id in text:gmatch("%S+") do
    set[id:lower()] = id
  end
  return set
end

local ids, exceptions = set_of(IDS), set_of(EXCEPTIONS)

--- A license expression (SPDX specification, annex D) of identifiers that are known, as they are written there; nil for any
--- other text.
---@param text string
---@return string? expression
---@return boolean is_id  it is one identifier
function M.expression(text)
  local out, depth, wants = {}, 0, "id"
  if #text > 512 then
    return nil, false
  end
  for word in text:gsub("[()]", " %0 "):gmatch("%S+") do
    local upper = word:upper()
    if word == "(" and wants == "id" then
      depth = depth + 1
    elseif word == ")" and wants == "operator" and depth > 0 then
      depth = depth - 1
    elseif wants == "id" and ids[word:lower()] then
      word, wants = ids[word:lower()], "operator"
    elseif wants == "exception" and exceptions[word:lower()] then
      word, wants = exceptions[word:lower()], "operator"
    elseif wants == "operator" and (upper == "AND" or upper == "OR") then
      word, wants = upper, "id"
    elseif wants == "operator" and upper == "WITH" and ids[(out[#out] or ""):lower()] then
      word, wants = upper, "exception"
    else
      return nil, false
    end
    out[#out + 1] = word
  end
  if depth > 0 or wants ~= "operator" then
    return nil, false
  end
  return (table.concat(out, " "):gsub("%( ", "("):gsub(" %)", ")")), #out == 1
end

return M
