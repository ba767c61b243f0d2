--- What output formats say of where they run, beside what an item says itself.  Set by whoever opens the outputs; the same for
--- all items.

---@class moonwatch.item.Context
---@field host_name string
---@field host_identifier string?    what a backend knows this host by; nil: what the item says of its task, else the host's name
---@field version string             of this program
---@field alert_query_name string    osquery: the query that alerts seem to come from
---@field decorations table<string, string>?  osquery: more members of each line
local M = {
  host_name = "localhost",
  version = "0",
  alert_query_name = "moonwatch_alerts",
}

return M
