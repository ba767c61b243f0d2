-- What holds when nobody chose: see processes, judge them by the rules, tell alerts on standard
-- error.  The flags are at their own defaults (a test compares them), written out as the place to
-- begin a profile of one's own.
--
-- `attention` says who is watched how closely: `events` is exec, fork and exit, and costs nothing
-- between; `calls` is system calls, too, at two stops each; `off` is nothing at all.  It is a list of
-- entries, gone through from the top at each exec:
--
--   names      what it is called: base name of the executable or of argv[0], or comm (of a script, the
--              script's).  A version at the end does not count: "python" is python3.11.  For busybox,
--              the applet.
--   programs   base name of the executable alone.  The rest can be chosen by whoever starts it, so what
--              lowers attention asks for this.
--   paths      the executable's path begins with this
--   options    an argument before the first that has no '-'; "-c*" is one that begins with -c
--   arguments  any argument
--   is         dropped   the executable was made after the container's start
--              fileless  it has no name (any more)
--              late      it came from outside: exec session, health check
--              repeated  late, and not for the first or second time with these arguments: a health check
--              startup   the container started less than attention_startup_ms ago
--              secure    the kernel let it gain privilege (setuid, capabilities)
--              tty       it has a terminal
--              root      it is the application's first process
--   unless     the same: none of these
--   marked     it, or one it descends from, got one of these marks before this exec
--
-- Where several are given, all must hold; of a list, one (of `is`, all).  An entry that holds gives
-- the process its `mark`, which descendants inherit; the first with a `level` decides that; without
-- one, `default`.  Children that are no new program are watched as their parent.  A profile with
-- an `attention` of its own replaces this one; with `extends = true` in it, its entries stand before.
--
-- Whatever it says, attention_stops_per_s and attention_cpu_percent are what `calls` may cost in all.

local shells = { "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash" }

local web_servers = { "nginx", "apache2", "httpd", "lighttpd", "caddy", "php-fpm", "php-cgi", "uwsgi",
  "gunicorn", "unicorn", "puma", "tomcat", "catalina", "openresty", "traefik", "java", "jspawnhelper" }

local databases = { "mysqld", "mariadbd", "postgres", "postmaster", "redis-server", "valkey-server",
  "mongod", "memcached", "couchdb", "clickhouse-server" }

local interpreters = { "python", "perl", "ruby", "node", "nodejs", "php", "lua", "tclsh" }

-- What moves bytes in or out, or opens a way in.
local transfer_tools = { "curl", "wget", "nc", "nc.traditional", "nc.openbsd", "ncat", "netcat", "socat",
  "ssh", "scp", "sftp", "sshd", "dropbear", "ftp", "tftp", "rsync", "telnet", "openssl", "base64",
  "xxd", "nmap", "masscan", "zmap", "hping", "tcpdump", "tshark", "dumpcap", "ngrep", "mitmproxy",
  "arp-scan", "aws", "gcloud", "az", "docker", "kubectl", "crictl", "ctr", "nerdctl", "podman", "runc",
  "helm" }

-- The first things run through a hole.
local intruder_tools = { "id", "whoami", "uname", "hostname", "ifconfig", "ip", "cat", "ls", "ps", "env",
  "printenv", "chmod", "chattr", "getent", "find", "grep", "tar", "dd", "crontab", "passwd", "useradd",
  "usermod", "chpasswd", "pkill", "killall", "iptables", "nft" }

-- What looks into files, takes them along or changes them; by hand or from a script, and seldom for long.
local file_tools = { "cat", "head", "tail", "less", "more", "strings", "od", "xxd", "sort", "cut", "tr", "tee", "grep",
  "egrep", "fgrep", "awk", "gawk", "mawk", "sed", "find", "cp", "mv", "ln", "rm", "touch", "chmod", "chown", "install", "dd",
  "tar", "zip", "gzip", "vi", "vim", "nano" }

-- What changes accounts and jobs of the clock: seldom started, and soon over.
local account_tools = { "useradd", "adduser", "usermod", "userdel", "groupadd", "addgroup", "groupmod", "groupdel", "passwd", "chpasswd",
  "newusers", "vipw", "crontab" }

local system_tools = { "gdb", "gdbserver", "strace", "ltrace", "nsenter", "unshare", "chroot", "setpriv",
  "capsh", "mount", "umount", "modprobe", "insmod", "rmmod", "bpftool" }

local package_managers = { "apt", "apt-get", "aptitude", "dpkg", "yum", "dnf", "microdnf", "rpm", "apk",
  "zypper", "pip", "npm", "npx", "yarn", "pnpm", "gem", "cargo", "conda" }

local compilers = { "cc", "gcc", "g++", "c++", "clang", "clang++", "cc1", "cc1plus", "as", "ld", "tcc",
  "make", "cmake", "go", "rustc", "javac", "ghc" }

local miners = { "xmrig", "xmr-stak", "minerd", "cpuminer", "cgminer", "bfgminer", "ethminer", "nbminer",
  "t-rex", "lolMiner", "phoenixminer", "kinsing", "kdevtmpfsi" }

-- The dynamic loader as a command, so that what it runs is not the executable.
local loaders = { "ld.so", "ld-linux.so", "ld-linux-x86-64.so", "ld-linux-aarch64.so", "ld-linux-armhf.so",
  "ld-musl-x86_64.so", "ld-musl-aarch64.so" }

-- Folders of shared libraries, one level each: below are data and plug-ins by the thousand.
local library_folders = { "/lib/%", "/lib64/%", "/usr/lib/%", "/usr/lib64/%", "/usr/local/lib/%",
  "/usr/local/lib64/%", "/lib/x86_64-linux-gnu/%", "/usr/lib/x86_64-linux-gnu/%", "/lib/aarch64-linux-gnu/%",
  "/usr/lib/aarch64-linux-gnu/%" }

-- Where ECS mounts the SSM agent of ECS Exec, on Fargate and on EC2.
local agent_paths = { "/managed-agents/", "/ecs-execute-command-" }

return {
  flags = {
    -- Starts, forks and ends of processes; rules need them.
    audit_allow_process_events = true,
    -- process_events holds the starts, as osquery's does; forks and ends would treble its size.
    audit_allow_fork_process_events = false,
    audit_allow_exit_process_events = false,

    -- What happens to the files of file_paths, below.
    allow_inotify_file_events = true,

    outputs = "alerts/text:stderr",

    spool_limit_mib = 256,
    ring_size_mib = 8,
  },

  attention = {
    default = "events",

    -- The SSM agent itself runs all the time; what its sessions start is what somebody does.
    { programs = { "amazon-ssm-agent", "ssm-agent-worker" }, paths = agent_paths, level = "events" },
    { programs = "ssm-session-worker", paths = agent_paths, mark = "session", level = "events" },

    -- The application itself, also when its start-up script has just fetched it.
    { is = { "root", "startup" }, unless = "tty", level = "events" },

    { is = "dropped", level = "calls" },
    { is = "fileless", level = "calls" },

    -- A health check comes every few seconds with the same arguments: its first runs are looked at
    -- closely, the others cost what its processes cost without system calls.
    { is = { "late", "tty" }, mark = "session", level = "calls" },
    { is = { "late", "repeated" }, mark = "health_check", level = "events" },
    { marked = "health_check", level = "events" },
    -- Whoever else comes from outside does so because somebody is at work.
    { is = "late", unless = "repeated", mark = "session", level = "calls" },

    { names = web_servers, mark = "web_server" },
    { names = databases, mark = "database" },
    { names = shells, unless = "startup", mark = "shell" },
    { programs = web_servers, level = "events" },
    { programs = databases, level = "events" },

    { marked = "session", level = "calls" },
    { names = shells, is = "tty", level = "calls" },
    { is = "tty", unless = "startup", level = "calls" },

    -- A web server or a database that starts one of these, at any time.  (CGI programs of other
    -- names stay at `events`: `calls` would make each request some ten times as slow.)
    { marked = { "web_server", "database" }, names = shells, level = "calls" },
    { marked = { "web_server", "database" }, names = interpreters, level = "calls" },
    { marked = { "web_server", "database" }, names = transfer_tools, level = "calls" },
    { marked = { "web_server", "database" }, names = intruder_tools, level = "calls" },

    -- What a service hardly ever starts once it runs; its start-up script may.
    { names = shells, unless = "startup", level = "calls" },
    { marked = "shell", names = file_tools, level = "calls" },
    { names = transfer_tools, unless = "startup", level = "calls" },
    { names = "python", options = { "-c*", "-" }, unless = "startup", level = "calls" },
    { names = { "perl", "ruby", "lua" }, options = { "-e*", "-E*", "-n*", "-p*", "-l*", "-i*", "-" },
      unless = "startup", level = "calls" },
    { names = { "node", "nodejs" }, options = { "-e", "-p", "-pe", "--eval*", "--print*", "-" },
      unless = "startup", level = "calls" },
    { names = "php", options = { "-r*", "-B*", "-R*" }, unless = "startup", level = "calls" },
    { names = package_managers, unless = "startup", level = "calls" },
    { names = compilers, unless = "startup", level = "calls" },
    { names = system_tools, unless = "startup", level = "calls" },
    { names = account_tools, unless = "startup", level = "calls" },
    { names = loaders, unless = "startup", level = "calls" },
    { is = "secure", unless = "startup", level = "calls" },
    { names = miners, level = "calls" },
  },

  -- Which files are watched, in categories (docs/files.md): % is any part of one name, %% at the end all
  -- below.  A profile that extends this one adds categories, replaces those it names, and takes away
  -- those it names with nothing in them.  A file in several is told with the first of their names.
  file_paths = {
    accounts = { "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d/%",
      "/etc/pam.d/%" },
    binaries = { "/bin/%", "/sbin/%", "/usr/bin/%", "/usr/sbin/%", "/usr/local/bin/%", "/usr/local/sbin/%" },
    credentials = { "/etc/ssh/ssh_host_%_key", "/root/.ssh/id_%", "/home/%/.ssh/id_%", "/root/.aws/%",
      "/home/%/.aws/%", "/root/.kube/config", "/root/.docker/config.json", "/root/.netrc",
      "/root/.git-credentials", "/run/secrets/%" },
    cron = { "/etc/crontab", "/etc/cron.d/%", "/etc/cron.hourly/%", "/etc/cron.daily/%", "/etc/cron.weekly/%",
      "/etc/cron.monthly/%", "/etc/crontabs/%", "/etc/periodic/%%", "/var/spool/cron/%%", "/var/spool/at/%" },
    dynamic_loader = { "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d/%", "/etc/ld.so.cache",
      "/etc/ld-musl-x86_64.path", "/etc/ld-musl-aarch64.path" },
    etc = { "/etc/%%" },
    libraries = library_folders,
    sensor = { "/opt/moonwatch/%%" },
    ssh = { "/root/.ssh/%%", "/home/%/.ssh/%%" },
    web = { "/var/www/%%", "/srv/www/%%", "/srv/http/%%", "/usr/share/nginx/html/%%",
      "/usr/local/apache2/htdocs/%%", "/usr/local/apache2/cgi-bin/%%", "/usr/local/tomcat/webapps/%%",
      "/opt/tomcat/webapps/%%" },
  },

  -- Told of opening and reading, too; files that processes read all the time do not belong here, nor do those in a folder
  -- with such files (/etc): the kernel tells of the whole folder, and that slows down each open there.
  file_accesses = { "credentials" },
}
