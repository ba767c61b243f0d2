-- Queries of packages, of a system and of languages.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("an inventory", {
    image = [[
mkdir -p /app/node_modules/left
echo '{ "name": "app", "version": "1.0.0", "dependencies": { "left": "1.0.0" } }' >/app/package.json
echo '{ "name": "left", "version": "1.0.0" }' >/app/node_modules/left/package.json
cat >/app/inventory.sh <<'END'
set -x
exec </dev/null
dpkg -l
dpkg -s nginx
dpkg -L coreutils
dpkg -S /bin/sh
dpkg --print-architecture
dpkg --audit
dpkg -V coreutils
dpkg-query -W -f '${Package} ${Version}\n'
apt-cache policy curl
apt-get install -s curl
rpm -qa
rpm -q bash
rpm --version
/usr/bin/python3 -m pip list
/usr/bin/python3 -m pip freeze
/usr/bin/python3 -m pip show pip
cd /app
npm ls
npm ls --all --json
npm --version
ldconfig -p
update-alternatives --list awk
true
END
]],
    command = "sh -c 'sh /app/inventory.sh >/dev/null 2>&1; exec sleep 1000'",
    outside = [[
over() { [ "$(tr '\0' ' ' </proc/$init/cmdline)" = 'sleep 1000 ' ]; }
until_true over
for i in 1 2; do
  inside sh -c 'dpkg -l >/dev/null'
done
]],
   stop = "KILL",
    says = {  },
    ran = { "dpkg", "dpkg-query", "apt-cache", "apt-get", "rpm" },
  }, container.missing "rpm")
end)
