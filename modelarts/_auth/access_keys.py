"""The access keys of a session, which may be in a file that somebody renews."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Callable, Optional

from modelarts._auth.signing import AkSkAuth, Auth, Keys
from modelarts._settings import table
from modelarts._settings.sources import SettingSource
from modelarts._settings.table import KEYS, Settings
from modelarts.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger("modelarts")


def of_settings(settings: Settings, project_id: str) -> Auth:
    """The signature with the keys of the settings; those of a file are read again when it changes."""
    login = settings.login
    if login is not None and login.file is not None:
        return FileKeys(login.file, lambda: _keys_in(login), project_id)
    key, secret, token = (settings[name].value for name in KEYS)
    return AkSkAuth(key, secret, project_id, token)


def _keys_in(source: SettingSource) -> Keys:
    found = source.read()
    key, secret, token = (table.checked(name, found.get(name) or "", source.title) for name in KEYS)
    if not (key and secret):
        raise ConfigError(f"{source.title} holds no access key with its secret any more: write both into it")
    return Keys(key, secret, token)


class FileKeys:
    """Access keys of a file that somebody may renew: read again when it changes, and after a 401.

    Args:
        file: the file to look at.
        load: reads the keys from it.
        project_id: as for `AkSkAuth`.
    """

    def __init__(self, file: Path, load: Callable[[], Keys], project_id: str = "") -> None:
        self._file = file
        self._load = load
        self._project_id = project_id
        self._seen = _stamp(file)
        self._signer = self._signer_of(load())
        self._used = threading.local()

    def __repr__(self) -> str:
        return f"FileKeys(file={str(self._file)!r}, access_key={self._signer.access_key!r})"

    def apply(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        self._look()
        self._used.signer = signer = self._signer
        signer.apply(method, url, headers, body)

    def renew(self) -> bool:
        self._look(always=True)
        return self._signer != getattr(self._used, "signer", None)

    def keys(self, refused: Keys | None = None) -> Keys:
        self._look(always=refused is not None)
        return self._signer.keys()

    def _look(self, always: bool = False) -> None:
        stamp = _stamp(self._file)
        if stamp == self._seen and not always:
            return
        self._seen = stamp
        try:
            self._signer = self._signer_of(self._load())
        except ConfigError as error:  # perhaps it is just being written
            logger.warning("%s; using the keys that were read before", error)

    def _signer_of(self, keys: Keys) -> AkSkAuth:
        return AkSkAuth(keys.access_key, keys.secret_key, self._project_id, keys.security_token)


def _stamp(file: Path) -> Optional[tuple[int, int, int]]:
    """What differs when a file was written anew or put in its place."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
