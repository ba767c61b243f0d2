-- What runs inside a guest, the most telling first: whole files, less what is excepted, or some of their tests only.  An
-- emulated machine is ten to thirty times slower, so what takes minutes or tells nothing of kernel and processor is left out.

--- A set of names.
local function set(names)
  local is_in = {}
  for _, name in ipairs(names) do
    is_in[name] = true
  end
  return is_in
end

return {
  { file = "tests/system/guest/checks.lua" },
  {
    file = "tests/system/transparency_spec.lua",
    except = set { "passes on exit code 1", "passes on exit code 42", "lets a program with threads end as it would: many" },
  },
  { file = "tests/system/guard_spec.lua" },
  {
    file = "tests/system/events_spec.lua",
    except = set { "tell of all 20,000 programs of a storm", "are not processes" },
  },
  {
    file = "tests/system/run_spec.lua",
    only = set {
      "the application starts all the same, and one line says so",
      "under another tracer, likewise",
      "survives damage: the bad file is set aside",
    },
  },
}
