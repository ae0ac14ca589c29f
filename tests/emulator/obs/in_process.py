"""A request to OBS that this process answers itself, for what a real connection does not let through."""

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
from tests.emulator.cloud import signed
from tests.emulator.signing import Caller


def put_in_process(caller: Caller, home: Path, length: str | None, body: bytes = b"what was sent") -> tuple[int, bytes]:
    """Put the object `key` into `bucket`, a folder of `home`; status and answer."""
    (home / "buckets" / "bucket").mkdir(parents=True, exist_ok=True)
    store = ObjectStore(home / "buckets", MetadataStore(home / "notes"), "region", "owner")
    app = ObsApp(store, ObsAuthenticator(Tokens(caller.account)), Activity(1))
    headers = dict(signed(caller, "PUT", "bucket", "key").headers)
    environ = EnvironBuilder("/bucket/key", method="PUT", headers=headers).get_environ()
    environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": length})
    if length is None:
        del environ["CONTENT_LENGTH"]
    content, status, _ = run_wsgi_app(app, environ)
    return int(status[:3]), b"".join(content)
