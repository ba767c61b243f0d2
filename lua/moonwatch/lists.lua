--- Names of programs, as the kernel gives them: a process name has at most 15 bytes, proc(5), so longer ones stand here cut.

---@class moonwatch.lists
local M = {}

---@param names string[]
---@return table<string, true>
local function set(names)
  local found = {}
  for _, name in ipairs(names) do
    found[name:sub(1, 15)] = true
  end
  return found
end

M.shells = set { "sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "rbash", "busybox" }

M.web_servers = set { "nginx", "apache2", "httpd", "lighttpd", "caddy", "php-fpm", "php-fpm7.4", "php-fpm8.1", "php-fpm8.2",
  "php-fpm8.3", "php-fpm8.4", "php-cgi", "uwsgi", "gunicorn", "unicorn", "puma", "tomcat", "catalina", "openresty", "traefik" }

M.databases = set { "mysqld", "mariadbd", "postgres", "postmaster", "redis-server", "valkey-server", "mongod", "memcached",
  "couchdb", "clickhouse-serv" }

M.interpreters = set { "python", "python2", "python3", "perl", "ruby", "node", "nodejs", "php", "lua", "tclsh" }

M.package_managers = set { "apt", "apt-get", "aptitude", "dpkg", "yum", "dnf", "microdnf", "rpm", "apk", "zypper", "pip",
  "pip3", "npm", "yarn", "pnpm", "gem" }

--- What moves bytes in or out, or asks who and where one is: the first things run through a hole.
M.intruder_tools = set { "curl", "wget", "nc", "ncat", "netcat", "socat", "id", "whoami", "uname", "hostname", "ifconfig",
  "ip", "cat", "ls", "ps", "env", "printenv", "base64", "chmod", "nmap", "getent" }

M.recon_tools = set { "nmap", "masscan", "zmap", "nc", "ncat", "netcat", "socat", "tcpdump", "tshark", "dumpcap", "ngrep",
  "mitmproxy", "arp-scan", "hping3" }

M.miners = set { "xmrig", "xmr-stak", "minerd", "cpuminer", "cgminer", "bfgminer", "ethminer", "nbminer", "t-rex",
  "lolMiner", "phoenixminer", "kinsing", "kdevtmpfsi" }

M.container_clients = set { "docker", "kubectl", "crictl", "ctr", "nerdctl", "podman", "runc", "helm" }

return M
