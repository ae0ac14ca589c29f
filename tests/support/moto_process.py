"""An S3 server in a process of its own: prints its port, serves until its standard input ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from threading import Thread
from typing import Any

os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "1"  # small parts make quick tests
os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(1 << 30)  # objects stay in memory

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

moto = DomainDispatcherApplication(create_backend_app)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    # The server looks for the name of a service between the slashes of a signature, also where it is chance that put
    # them there. It checks no signatures.
    if environ.get("HTTP_AUTHORIZATION", "").startswith(("AWS ", "OBS ")):
        environ["HTTP_AUTHORIZATION"] = "AWS key:signature"

    def start(status: str, headers: list[tuple[str, str]], *further: Any) -> Any:
        return start_response(status, [*headers, ("x-amz-request-id", "R0")], *further)  # as real servers do

    return moto(environ, start)


class Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
print(server.server_address[1], flush=True)
Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
