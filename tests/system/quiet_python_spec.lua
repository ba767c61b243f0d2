-- Python: a server that fetches its credentials, health checks by one-liners.
local container = require "tests.system.container"

describe("the service", function()
  container.describe("Python", {
    image = [[
mkdir -p /app
cat >/app/app.py <<'END'
import http.server, json, os, signal, subprocess, sys, threading, urllib.request
def fetch():
    return urllib.request.urlopen("http://169.254.170.2" + os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]).read()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = fetch() if self.path == "/credentials" else b"hello\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
END
]],
    beside = container.credentials,
    environment = container.credentials_environment,
    command = "/usr/bin/python3 /app/app.py",
    outside = [[
until_true curl -fs http://127.0.0.1:8000/
for i in 1 2 3; do
  curl -fs http://127.0.0.1:8000/; curl -fs http://127.0.0.1:8000/credentials; echo
  inside python3 -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:8000/")'
  inside python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8000))'
  inside bash -c '</dev/tcp/127.0.0.1/8000'
  inside sh -c 'nc -z 127.0.0.1 8000 || exit 1'
done
inside python3 -m pip list
]],
    says = { "ASIAEXAMPLE", "pip " },
    ran = { "python3", "bash", "nc" },
  }, container.missing "python3")
end)
