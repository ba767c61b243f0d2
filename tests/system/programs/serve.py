"""An HTTP server with a thread for each connection, which starts a program for each request, and its client.

usage: serve.py                serve, and start the client; the server ends when the client has
       serve.py client PORT    prints how many answers were right"""

import http.client
import http.server
import subprocess
import sys
import threading

REQUESTS = 80
CONNECTIONS = 4


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        word = subprocess.run(["/bin/echo", self.path], stdout=subprocess.PIPE, check=True).stdout
        self.send_response(200)
        self.send_header("Content-Length", str(len(word)))
        self.end_headers()
        self.wfile.write(word)

    def log_message(self, *_):
        pass


def ask(port, number, right):
    for i in range(number, REQUESTS, CONNECTIONS):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/{i}")
        answer = connection.getresponse()
        if answer.status == 200 and answer.read() == f"/{i}\n".encode():
            right.append(i)
        connection.close()


def client(port):
    right = []
    threads = [threading.Thread(target=ask, args=(port, n, right)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{len(right)} of {REQUESTS} right")


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    code = subprocess.call([sys.executable, __file__, "client", str(server.server_port)])
    server.shutdown()
    serving.join()
    server.server_close()
    sys.exit(code)


if len(sys.argv) > 1:
    client(int(sys.argv[2]))
else:
    main()
