"""The other end of all connections in a room: usage: peer.py READY

On ports of the web it gives out files of HTTP; on those of an intruder it tells a shell what to do, and a second later to end, as who
the shell talks to is looked up after its start; on others it takes what comes.  Makes the file READY when it listens."""
import selectors
import socket
import sys
import time

WEB = (80, 443, 8080)
MASTER = (2222, 4444)
OTHERS = (22, 53, 6443, 9001)
with open("/bin/true", "rb") as file:
    PROGRAM = file.read()
SCRIPT = b"#!/bin/sh\n/bin/true $0 was downloaded\n"


def listen(port):
    server = socket.create_server(("::", port), family=socket.AF_INET6, backlog=128, dualstack_ipv6=True)
    server.setblocking(False)
    return server


def answer(port, connection):
    """What comes is read until its end, so that nobody is cut off."""
    try:
        data = connection.recv(65536)
    except OSError:
        data = b""
    if not data:
        selector.unregister(connection)
        connection.close()
        return
    if port in WEB and b"\r\n\r\n" in data:
        try:
            if data.startswith(b"HEAD "):
                connection.send(b"HTTP/1.0 200 OK\r\n\r\n")
            else:
                content = PROGRAM if b" /program " in data else SCRIPT
                connection.setblocking(True)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass


selector = selectors.DefaultSelector()
servers = {}
for number in WEB + MASTER + OTHERS:
    one = listen(number)
    servers[one] = number
    selector.register(one, selectors.EVENT_READ, None)
with open(sys.argv[1], "w", encoding="ascii"):
    pass
shells = []  # when to tell them to end, and the connections
while True:
    while shells and shells[0][0] <= time.monotonic():
        try:
            shells.pop(0)[1].send(b"exit\n")
        except OSError:
            pass
    for key, _ in selector.select(0.05 if shells else None):
        if key.data is None:
            try:
                client, _ = key.fileobj.accept()
            except OSError:
                continue
            client.setblocking(False)
            selector.register(client, selectors.EVENT_READ, servers[key.fileobj])
            if servers[key.fileobj] in MASTER:
                client.send(b"id -u\n")
                shells.append((time.monotonic() + 1, client))
        else:
            answer(key.data, key.fileobj)
