---@meta moonwatch.rules

--- What a rule file returns, for editors: annotate with `---@type moonwatch.RuleFile`.  docs/howto/rules.md says what it means.

---@alias moonwatch.Texts string|string[]|table<string, true>

---@class moonwatch.Conditions
---@field names moonwatch.Texts?
---@field programs moonwatch.Texts?
---@field parents moonwatch.Texts?
---@field ancestors moonwatch.Texts?
---@field lineage moonwatch.Texts?
---@field not_lineage moonwatch.Texts?
---@field exes moonwatch.Texts?
---@field arguments moonwatch.Texts?
---@field cmdline moonwatch.Texts?
---@field paths moonwatch.Texts?
---@field categories moonwatch.Texts?
---@field ports integer|integer[]|nil
---@field addresses moonwatch.Texts?
---@field calls moonwatch.Texts?
---@field is moonwatch.Texts?
---@field unless moonwatch.Texts?
---@field marked moonwatch.Texts?
---@field fields table<string, string|integer|boolean|(string|integer|boolean)[]>?

---@class moonwatch.Memory
---@field get fun(name: string): string|integer|boolean|nil
---@field set fun(name: string, value: string|integer|boolean|nil)

---@class moonwatch.Exception: moonwatch.Conditions
---@field reason string
---@field match (fun(event: moonwatch.Event): any)?

---@class moonwatch.Step
---@field on moonwatch.Kind[]
---@field where moonwatch.Conditions|moonwatch.Conditions[]|nil
---@field match (fun(event: moonwatch.Event): any)?
---@field by string|string[]|nil

---@class moonwatch.Sequence
---@field within_s integer
---@field by string|string[]|nil
---@field [integer] moonwatch.Step

---@class moonwatch.Example
---@field expect boolean
---@field event table
---@field before table[]?
---@field marks string[]?
---@field note string?

---@class moonwatch.RuleFile
---@field id string
---@field summary string
---@field why string
---@field on moonwatch.Kind[]?
---@field where moonwatch.Conditions|moonwatch.Conditions[]|nil
---@field match (fun(event: moonwatch.Event, memory: moonwatch.Memory): any)?
---@field severity moonwatch.Severity
---@field attack string[]
---@field attack_version string?
---@field message string?
---@field exceptions moonwatch.Exception[]?
---@field throttle { by: string|string[]|nil, period_s: integer }?
---@field threshold { by: string|string[]|nil, count: integer, within_s: integer, distinct: string? }?
---@field sequence moonwatch.Sequence?
---@field mark { name: string, ttl_s: integer, on: "process"|"parent"|nil }?
---@field memory { scope: "process"|"tree"|"rule", ttl_s: integer }?
---@field silent boolean?
---@field attention "calls"|"events"|nil
---@field respond "alert"|"kill"|"deny"|nil
---@field tags string[]?
---@field references string[]?
---@field false_positives string[]?
---@field enabled boolean?
---@field examples moonwatch.Example[]
---@field api integer?
