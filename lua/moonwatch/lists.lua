--- Names of programs, for moonwatch.match.named: without version numbers, which do not count there.

---@class moonwatch.lists
local M = {}

--- A set of names, cut as the kernel cuts the name of a process: to 15 bytes, proc(5).
---@param names string[]
---@return table<string, true>
function M.set(names)
  local found = {}
  for _, name in ipairs(names) do
    found[name:sub(1, 15)] = true
  end
  return found
end

local set = M.set

M.shells = set { "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash" }

M.web_servers = set { "nginx", "apache2", "httpd", "lighttpd", "caddy", "php-fpm", "php-cgi",
  "uwsgi", "gunicorn", "unicorn", "puma", "tomcat", "catalina", "openresty", "traefik" }

M.databases = set { "mysqld", "mariadbd", "postgres", "postmaster", "redis-server",
  "valkey-server", "mongod", "memcached", "couchdb", "clickhouse-server" }

M.java = set { "java", "jspawnhelper" }

M.crons = set { "cron", "crond", "anacron", "atd", "supercronic", "fcron" }

--- Of the SSM agent that ECS puts into the container for ECS Exec.
M.session_agents = set { "ssm-session-worker", "ssm-agent-worker" }

M.interpreters = set { "python", "perl", "ruby", "node", "nodejs", "php", "lua", "tclsh" }

M.package_managers = set { "apt", "apt-get", "aptitude", "dpkg", "yum", "dnf", "microdnf", "rpm",
  "apk", "zypper", "pip", "npm", "yarn", "pnpm", "gem" }

--- What moves bytes in or out, or asks who and where one is: the first things run through a hole.
M.intruder_tools = set { "curl", "wget", "nc", "nc.traditional", "nc.openbsd", "ncat", "netcat",
  "socat", "id", "whoami", "uname", "hostname", "ifconfig", "ip", "cat", "ls", "ps", "env",
  "printenv", "base64", "chmod", "nmap", "getent" }

M.netcats = set { "nc", "nc.traditional", "nc.openbsd", "ncat", "netcat" }

M.recon_tools = set { "nmap", "masscan", "zmap", "nc", "nc.traditional", "nc.openbsd", "ncat",
  "netcat", "socat", "tcpdump", "tshark", "dumpcap", "ngrep", "mitmproxy", "arp-scan", "hping" }

M.miners = set { "xmrig", "xmr-stak", "minerd", "cpuminer", "cgminer", "bfgminer", "ethminer",
  "nbminer", "t-rex", "lolMiner", "phoenixminer", "kinsing", "kdevtmpfsi" }

M.container_clients = set { "docker", "kubectl", "crictl", "ctr", "nerdctl", "podman", "runc",
  "helm" }

return M
