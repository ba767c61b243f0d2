---@meta moonwatch.yaml

--- YAML 1.1 by libyaml, read as a tree that knows where each node stands.  For commands.

---@class moonwatch.yaml.Node
---@field kind "map"|"list"|"text"|"alias"
---@field from integer     its first byte
---@field to integer       the byte behind it; of a block this may be the beginning of what comes next
---@field column integer   of its first character, from 1
---@field flow boolean?    of maps and lists: written in brackets?
---@field text string?     of texts, and the name an alias stands for
---@field style string?    of texts: plain, single, double, literal, folded
---@field tag string?      as written: "!Ref"
---@field anchor string?
---@field [integer] moonwatch.yaml.Node|moonwatch.yaml.Pair  items of a list, pairs of a map

---@class moonwatch.yaml.Pair
---@field key moonwatch.yaml.Node
---@field value moonwatch.yaml.Node

local yaml = {}

--- The documents of a text; at most 4 MiB, 64 levels and 262144 values.
---@param text string  without a byte order mark
---@return moonwatch.yaml.Node[]?
---@return string? message  "line 3, column 5: …"
function yaml.parse(text) end

return yaml
