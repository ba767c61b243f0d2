--- What `make bench` measures, how, and what it may cost.  The one table of loads, variants and targets.

local M = {}

M.default_budget_s = 20

-- The attach timeout is long, as an application that started unwatched, because the machine is busy, would cost nothing.
local function moonwatch(...)
  return { "{moonwatch}", "run", "--attach_timeout_ms=10000", "--state_dir=", ... }
end

--- Ways to run a load.  `prefix` is tried with `true`; when that fails, or moonwatch says that another engine was at work
--- than `engine`, the variant is left out.  pair.c gives each run a state folder of its own where a word is "--state_dir=".
M.variants = {
  { name = "native", title = "natively", prefix = {} },
  {
    name = "events",
    title = "moonwatch, ptrace engine, attention `events` for all: starts, forks and ends of programs are seen",
    engine = "ptrace",
    prefix = moonwatch("--engine=ptrace", "--profile={bench}/events.lua", "--"),
  },
  {
    name = "default",
    title = "moonwatch, ptrace engine, the default profile: some programs get attention `calls`, their system calls are seen",
    engine = "ptrace",
    prefix = moonwatch("--engine=ptrace", "--"),
  },
  {
    name = "notify",
    title = "moonwatch, `--engine=notify`",
    engine = "notify",
    prefix = moonwatch("--engine=notify", "--profile={bench}/events.lua", "--"),
  },
  {
    name = "strace",
    title = "`strace -f --seccomp-bpf -e trace=execve`",
    prefix = { "strace", "-f", "--seccomp-bpf", "-e", "trace=execve", "-o", "/dev/null" },
  },
}

--- Loads, in the order in which they run.  Each takes a tenth of a second to two seconds natively: many short rounds say more
--- about a per cent than few long ones.
---   metric   what is compared, see pair.c: "own" leaves out start and end of the program, "wall" does not;
---            "service" and "execs" are measured by the scripts of these names
---   targets  the most that the median ratio to native may be (of "delay": the most milliseconds)
---   budget   after so many seconds no further round is begun (default_budget_s)
---   execs    programs that the load starts, when it is known
M.loads = {
  {
    name = "start",
    title = "start-up: until the first instruction of the application",
    what = "A static program says when its `main` began; a ratio would say nothing, so this is in milliseconds.",
    metric = "delay",
    targets = { events = 5, notify = 5 },
    command = { "{build}/bench/first" },
  },
  {
    name = "spawn",
    title = "spawn storm: fork and exec",
    what = "1000 static programs that end at once, one after the other, by fork and execve.",
    metric = "own",
    targets = { events = 1.20, notify = 1.10 },
    execs = 1001,
    command = { "{build}/bench/spawn", "fork", "1000", "{build}/bench/nothing" },
  },
  {
    name = "posix_spawn",
    title = "spawn storm: posix_spawn",
    what = "400 of them by posix_spawn(3), which shares the memory until the execve.",
    metric = "own",
    targets = {},
    execs = 401,
    command = { "{build}/bench/spawn", "posix_spawn", "400", "{build}/bench/nothing" },
  },
  {
    name = "script",
    title = "shell script",
    what = "100 times pipes and command substitutions with basename, grep, sort, sed, awk.",
    metric = "wall",
    budget = 30,
    targets = { events = 1.15, notify = 1.08 },
    command = { "sh", "{bench}/script.sh", "100" },
  },
  {
    name = "make",
    title = "make -j2",
    what = "A C project of 25 files, built anew.",
    metric = "wall",
    budget = 45,
    targets = { events = 1.04, notify = 1.04 },
    command = { "make", "-s", "-B", "-j2", "-C", "{temporary}/project" },
  },
  {
    name = "thread",
    title = "thread storm",
    what = "pthread_create and pthread_join, 5000 times.",
    metric = "own",
    targets = { events = 1.9, notify = 1.05 },
    command = { "{build}/bench/calls", "thread", "5000" },
  },
  {
    name = "signal",
    title = "signal storm",
    what = "A signal to itself, with a handler, 20 000 times.",
    metric = "own",
    targets = { events = 9, notify = 1.08 },
    command = { "{build}/bench/calls", "signal", "20000" },
  },
  {
    name = "getpid",
    title = "getpid",
    what = "The cheapest system call, a million times.",
    metric = "own",
    targets = { events = 1.01, notify = 1.30 },
    command = { "{build}/bench/calls", "getpid", "1000000" },
  },
  {
    name = "read",
    title = "read of 1 byte",
    what = "From /dev/zero, 800 000 times.",
    metric = "own",
    targets = { events = 1.01, notify = 1.30 },
    command = { "{build}/bench/calls", "read", "800000" },
  },
  {
    name = "write",
    title = "write of 1 byte",
    what = "To /dev/null, 800 000 times.",
    metric = "own",
    targets = { events = 1.01, notify = 1.30 },
    command = { "{build}/bench/calls", "write", "800000" },
  },
  {
    name = "pipe",
    title = "1 byte through a pipe",
    what = "A write and a read by the same thread, 250 000 times.",
    metric = "own",
    targets = { events = 1.01, notify = 1.30 },
    command = { "{build}/bench/calls", "pipe", "250000" },
  },
  {
    name = "open",
    title = "open for reading",
    what = "open and close of /etc/passwd, 100 000 times.",
    metric = "own",
    targets = { events = 1.01, notify = 1.10 },
    command = { "{build}/bench/calls", "open", "100000" },
  },
  {
    name = "create",
    title = "open for writing",
    what = "Files of 8 bytes: open with O_CREAT and O_TRUNC, write, close, 20 000 times; "
      .. "on tmpfs where there is one (/dev/shm), so that no disk hides the price.",
    metric = "own",
    targets = { events = 1.03, notify = 3.5 },
    command = { "{build}/bench/calls", "create", "20000" },
  },
  {
    name = "nginx",
    title = "nginx",
    what = "wrk -t 1 -c 16 for a second, a file of 600 bytes over loopback from one worker; the server is wrapped.",
    metric = "rate",
    budget = 40,
    targets = { events = 1.01, notify = 1.02 },
    command = { "{bench}/serve", "nginx", "{temporary}/nginx" },
  },
  {
    name = "pgbench",
    title = "PostgreSQL",
    what = "pgbench -S -c 2 -j 1, 6000 queries over a unix socket; the server is wrapped, and runs as its own user.",
    metric = "rate",
    budget = 40,
    targets = { events = 1.01, notify = 1.02 },
    command = { "{bench}/serve", "pgbench", "{temporary}/pgbench" },
  },
  {
    name = "redis",
    title = "Redis",
    what = "redis-benchmark -c 16, 40 000 SET and 40 000 GET over a unix socket; the server is wrapped.",
    metric = "rate",
    budget = 40,
    targets = { events = 1.01, notify = 1.02 },
    command = { "{bench}/serve", "redis", "{temporary}/redis" },
  },
  {
    name = "service",
    title = "a service with a health check",
    what = "A shell that waits and runs `sh -c 'grep …'` when told to: CPU time and memory of moonwatch's processes.",
    metric = "service",
    targets = { cpu_percent = 0.2, watchers_rss_mib = 3 },
    check_every_s = 5, -- of the service that the percentage is for
    command = { "{bench}/service" },
  },
  {
    name = "execs",
    title = "every exec counted",
    what = "Starts of programs that the kernel's tracepoint saw, that the load knows of, and that moonwatch recorded.",
    metric = "execs",
    targets = {},
    command = { "spawn", "script", "make" },
  },
}

return M
