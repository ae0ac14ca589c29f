"""Answers at the port of a TensorBoard, and starts in a twentieth of the time."""

import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

with socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1]))) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            if connection.recv(65536):
                connection.sendall(ANSWER)
