"""A minimal HTTP server with durable storage: `python -m benchmarks.bare_server DATABASE` prints its port and serves.

POST inserts a row with the body under its `config_name`; GET returns the body of the row that the path names.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections.abc import Iterable
from typing import Any

import waitress

_local = threading.local()


def connection(database: str) -> sqlite3.Connection:
    """The connection of this thread."""
    if not hasattr(_local, "connection"):
        _local.connection = sqlite3.connect(database, isolation_level=None)
        _local.connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    opened: sqlite3.Connection = _local.connection
    return opened


def serve(database: str) -> None:
    connection(database).execute("CREATE TABLE configs (name TEXT PRIMARY KEY, body TEXT NOT NULL)")

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = b"{}"
        if environ["REQUEST_METHOD"] == "POST":
            body = environ["wsgi.input"].read()
            row = (json.loads(body)["config_name"], body.decode())
            connection(database).execute("INSERT INTO configs VALUES (?, ?)", row)
        else:
            name = environ["PATH_INFO"].rpartition("/")[2]
            found = connection(database).execute("SELECT body FROM configs WHERE name = ?", (name,))
            answer = found.fetchone()[0].encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
        start_response("200 OK", headers)
        return [answer]

    server = waitress.create_server(application, host="127.0.0.1", port=0)
    print(server.effective_port, flush=True)
    server.run()


if __name__ == "__main__":
    serve(sys.argv[1])
