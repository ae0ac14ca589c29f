"""The session of a job on the service that runs it: an address file with a token of its own, which ends with it."""

from __future__ import annotations

import hmac
import logging
import secrets
from pathlib import Path

from modelarts._wire import bucket_keys
from modelarts._wire.v1.status import KILLING, RUNNING
from modelarts.local.paths import JobPaths, LocalHome, read_json, write_private
from modelarts.local.store import Store

logger = logging.getLogger("modelarts.local")


def create(home: LocalHome, version_id: int) -> Path:
    """Write the address file of a version. Returns it; its folder is all that the job needs of the home for it."""
    file = home.job(version_id).session
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(home, file, f"{version_id}.{secrets.token_urlsafe(32)}")
    return file


def keys_of(home: LocalHome, version_id: int) -> tuple[str, str]:
    """Access key and secret key for the buckets of this machine. They end with the job, as its token does."""
    token = _token(home.job(version_id))
    return bucket_keys.access_key_of(token), bucket_keys.secret_key_of(token)


def update(home: LocalHome, store: Store) -> None:
    """Write the files of all running versions again: the service has another address."""
    for version in store.jobs.versions_with_status(RUNNING, KILLING):
        try:
            if token := _token(home.job(version.id)):
                _write(home, home.job(version.id).session, token)
        except OSError as error:  # this job's alone
            logger.warning("version %s does not get the address of this service: %s", version.id, error)


def accepts(home: LocalHome, store: Store, token: str) -> bool:
    """Whether a token is that of a job that is running."""
    expected = token_of(home, store, token.partition(".")[0])
    return expected != "" and hmac.compare_digest(token.encode(), expected.encode())


def token_of(home: LocalHome, store: Store, version: str) -> str:
    """The token of the job that runs a version; empty if none runs it, or the text is no number."""
    if not (version.isascii() and version.isdigit() and len(version) < 19):
        return ""
    if store.jobs.status(int(version)) not in (RUNNING, KILLING):
        return ""
    return _token(home.job(int(version)))


def _token(folder: JobPaths) -> str:
    record = read_json(folder.session)
    token = record.get("token") if isinstance(record, dict) else None
    return token if isinstance(token, str) else ""


def _write(home: LocalHome, file: Path, token: str) -> None:
    service = read_json(home.address) or {}
    address = {"url": service.get("url", ""), "project_id": service.get("project_id", ""), "token": token, "pid": 0}
    write_private(file, {**address, "home": str(home.root.parent)})
