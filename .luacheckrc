-- See https://luacheck.readthedocs.io/en/stable/config.html
std = "lua54"
max_line_length = 140
-- Signatures for the editor: functions without bodies.
files["lua/meta"] = { ignore = { "211", "212", "241" } }
files["tests/**/*_spec.lua"] = { std = "+busted" }
files["tests/system/guest/checks.lua"] = { std = "+busted" }
