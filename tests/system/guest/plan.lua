-- What runs inside a guest: whole specs, less what is excepted, or some of their tests only; in parts, each of which is a
-- guest of its own, the most telling first.  An emulated machine is ten to thirty times slower, so what takes minutes is left
-- out, and so is what tells nothing of kernel and processor or needs programs that no guest has (python3, perl, netcat).

--- A set of names.
local function set(names)
  local is_in = {}
  for _, name in ipairs(names) do
    is_in[name] = true
  end
  return is_in
end

return {
  base = {
    {
      file = "tests/system/transparency_spec.lua",
      except = set { "passes on exit code 1", "passes on exit code 42", "lets a program with threads end as it would: many" },
    },
    { file = "tests/system/guard_spec.lua", except = set { "when the tracer is killed again and again under load" } },
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
    { file = "tests/system/guest/checks.lua" },
  },

  calls = {
    {
      file = "tests/system/calls_spec.lua",
      only = set {
        "tell what becomes of files",
        "name files as the kernel does, whatever leads to them",
        "tell of ids, namespaces and mounts",
        "are told of those alone who are to be watched so",
      },
    },
    {
      file = "tests/system/engines_spec.lua",
      only = set {
        "sees programs that live long enough, and their ends, and says that it sampled",
        "sees programs and their ends as they happen, with their exit codes",
        "sees what is written to and reached, by everybody, as attempts",
        "lets a program with threads execute, and end",
        "goes on when the tracer is killed: calls are answered by the guard",
        "goes on when the guard is killed: the tracer answers",
        "leaves the application no descriptor of the filter",
        "keeps setuid programs with it",
        "is ptrace where that is allowed, without a word",
        "is poll where it is not, with one line that says why",
      },
    },
    {
      file = "tests/system/jobs_spec.lua",
      only = set {
        "sees its children stop and go on: each",
        "sees its children stop and go on: threads",
        "sees its children stop and go on: group",
        "sees its children stop and go on: kill",
        "sees its children stop and go on: orphan",
        "stops, continues and interrupts a job by the keyboard",
      },
    },
    {
      file = "tests/system/signals_spec.lua",
      only = set {
        "that are real-time arrive in order, with their values",
        "without a handler do what they do",
        "stay ignored, blocked and pending across execve",
        "of faults reach their handlers, each with the address",
        "of children say what became of the child",
      },
    },
  },
}
