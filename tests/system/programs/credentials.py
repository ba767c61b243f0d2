"""The credentials of a task's role, at 169.254.170.2, port 80."""
import http.server
import json

BODY = json.dumps({"RoleArn": "arn:aws:iam::111122223333:role/task", "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret",
                   "Token": "token", "Expiration": "2036-01-01T00:00:00Z"}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("169.254.170.2", 80), Handler).serve_forever()
