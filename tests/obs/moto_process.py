"""An S3 server in a process of its own: prints its port, serves until its standard input ends."""

from __future__ import annotations

import os
import sys

os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "1"  # small parts make quick tests

from moto.moto_server.threaded_moto_server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
