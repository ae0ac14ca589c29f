"""S3 servers in processes of their own: `moto_process.py` prints a port, and serves until its standard input ends.

Each connection to that port makes one server, whose port is sent back; it ends with the connection. The servers are
forks of this process, since its imports take seconds. Beside S3 they serve `POST /-fill/BUCKET`, which makes a bucket
with objects in one request.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from threading import Thread
from typing import Any

os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "1"  # small parts make quick tests
os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(1 << 30)  # objects stay in memory

from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

s3 = create_backend_app("s3")  # without moto's search for the right service, which takes longer than the service


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    # The server looks for the name of a service between the slashes of a signature, also where it is chance that put
    # them there. It checks no signatures.
    if environ.get("HTTP_AUTHORIZATION", "").startswith(("AWS ", "OBS ")):
        environ["HTTP_AUTHORIZATION"] = "AWS key:signature"

    path = environ["PATH_INFO"]
    if path.startswith("/-fill/"):
        fill(path[len("/-fill/") :], json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        start_response("204 No Content", [])
        return []

    def start(status: str, headers: list[tuple[str, str]], *further: Any) -> Any:
        return start_response(status, [*headers, ("x-amz-request-id", "R0")], *further)  # as real servers do

    return s3(environ, start)


def fill(bucket: str, objects: dict[str, str]) -> None:
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(bucket, "us-east-1")
    for key, content in objects.items():
        backend.put_object(bucket, key, content.encode("latin-1"))


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


def serve(connection: socket.socket) -> None:
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    connection.sendall(str(server.server_address[1]).encode())
    connection.recv(1)


with socket.create_server(("127.0.0.1", 0)) as listener:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    print(listener.getsockname()[1], flush=True)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            serve(client)
            os._exit(0)
        client.close()
