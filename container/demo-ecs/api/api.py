"""The task's other container: what the shop asks."""


def app(_, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"12 in stock\n"]
