"""Sends a request to OBS within the process, for requests that HTTP clients and servers do not pass on."""

from __future__ import annotations

import io
from pathlib import Path

from werkzeug.test import EnvironBuilder, run_wsgi_app

from modelarts.local.api.app import Activity
from modelarts.local.emulator.iam.tokens import Tokens
from modelarts.local.emulator.obs.app import ObsApp
from modelarts.local.emulator.obs.metadata import MetadataStore
from modelarts.local.emulator.obs.object_store import ObjectStore
from modelarts.local.emulator.obs.signatures import ObsAuthenticator
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import signed


def put_in_process(
    cloud: CloudClient, home: Path, length: str | None, body: bytes = b"what was sent"
) -> tuple[int, bytes]:
    """Put the object `key` into `bucket`, a folder of `home`; return status and body of the response."""
    (home / "buckets" / "bucket").mkdir(parents=True, exist_ok=True)
    store = ObjectStore(home / "buckets", MetadataStore(home / "metadata"), "region", "owner")
    app = ObsApp(store, ObsAuthenticator(Tokens(cloud.account)), Activity(1))
    headers = dict(signed(cloud, "PUT", "bucket", "key").headers)
    environ = EnvironBuilder("/bucket/key", method="PUT", headers=headers).get_environ()
    environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": length})
    if length is None:
        del environ["CONTENT_LENGTH"]
    content, status, _ = run_wsgi_app(app, environ)
    return int(status[:3]), b"".join(content)
