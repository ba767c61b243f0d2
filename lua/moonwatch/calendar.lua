--- Points in time as text, and back; UTC.
local M = {}

local DAYS <const> = { [0] = "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS <const> = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

--- Days since 1970-01-01 of a date of the Gregorian calendar; years begin with March, so that leap days come last.
local function days_of(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 1 - 719468
end

local function date_of(days)
  days = days + 719468
  local era = days // 146097
  local of_era = days - era * 146097
  local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
  local of_year = of_era - (365 * year + year // 4 - year // 100)
  local month = (5 * of_year + 2) // 153
  local day = of_year - (153 * month + 2) // 5 + 1
  month = month < 10 and month + 3 or month - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- As C's asctime(3) has it: "Sun Aug  2 07:05:09 2026 UTC".
---@param seconds number  since 1970
---@return string
function M.asctime(seconds)
  seconds = math.floor(seconds)
  local days, of_day = seconds // 86400, seconds % 86400
  local year, month, day = date_of(days)
  return ("%s %s %2d %02d:%02d:%02d %d UTC"):format(DAYS[(days + 4) % 7], MONTHS[month], day, of_day // 3600,
    of_day // 60 % 60, of_day % 60, year)
end

--- Without a zone: "2026-08-02T07:05:09".
---@param seconds number  since 1970
---@return string
function M.iso(seconds)
  seconds = math.floor(seconds)
  local of_day = seconds % 86400
  return ("%04d-%02d-%02d"):format(date_of(seconds // 86400)) .. ("T%02d:%02d:%02d"):format(of_day // 3600, of_day // 60 % 60,
    of_day % 60)
end

--- Of a date as HTTP writes it: "Sun, 02 Aug 2026 07:05:09 GMT" (RFC 9110, 5.6.7).
---@param text string
---@return integer? seconds  since 1970
function M.parse_http(text)
  local day, name, year, hour, minute, second = text:match "^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  for month = 1, 12 do
    if MONTHS[month] == name then
      local days = days_of(tonumber(year), month, tonumber(day))
      return ((days * 24 + tonumber(hour)) * 60 + tonumber(minute)) * 60 + tonumber(second)
    end
  end
  return nil
end

return M
