-- node: npm, a cluster, an SDK that fetches its credentials, health checks.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("node", {
    image = [[
mkdir -p /app/node_modules/left/bin
cat >/app/package.json <<'END'
{ "name": "app", "version": "1.0.0", "scripts": { "start": "node server.js" }, "dependencies": { "left": "1.0.0" } }
END
echo '{ "name": "left", "version": "1.0.0" }' >/app/node_modules/left/package.json
cat >/app/server.js <<'END'
const cluster = require("cluster"), http = require("http"), fs = require("fs"), os = require("os"), dns = require("dns")
if (cluster.isPrimary) {
  for (let i = 0; i < 2; i++) cluster.fork()
  process.on("SIGTERM", () => { for (const id in cluster.workers) cluster.workers[id].kill(); setTimeout(() => process.exit(0), 100) })
} else {
  http.createServer((request, answer) => {
    if (request.url === "/credentials")
      return http.get("http://169.254.170.2" + process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, (got) => got.pipe(answer))
    fs.writeFileSync("/tmp/cache-" + process.pid, os.hostname() + fs.readFileSync("/proc/self/cgroup"))
    dns.lookup("localhost", () => answer.end("hello " + os.cpus().length + " " + os.userInfo().username + "\n"))
  }).listen(3000)
}
END
]],
    beside = container.credentials,
    environment = container.credentials_environment .. " NODE_ENV=production",
    command = "sh -c 'cd /app && exec npm start'",
    outside = [[
until_true curl -fs http://127.0.0.1:3000/
for i in 1 2 3; do
  curl -fs http://127.0.0.1:3000/; curl -fs http://127.0.0.1:3000/credentials; echo
  inside node -e 'require("http").get("http://127.0.0.1:3000/", (a) => process.exit(a.statusCode == 200 ? 0 : 1))'
  inside sh -c 'wget -qO- http://127.0.0.1:3000/ || exit 1'
done
inside sh -c 'cd /app && npm ls && npm --version'
]],
    says = { "ASIAEXAMPLE", "left@1.0.0" },
    ran = { "node", "wget" },
  }, container.missing "node" or container.missing "npm")
end)
