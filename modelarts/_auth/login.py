"""The credentials of a session: complete, and all from one source."""

from __future__ import annotations

import logging
import os
import stat
import threading
from typing import TYPE_CHECKING, Any, Callable, Optional

from modelarts._auth.signing import AkSkAuth, Auth, Keys
from modelarts._settings import table
from modelarts._settings.home import absolute, variable
from modelarts._settings.sources import SettingSource
from modelarts._settings.table import KEYS, PASSWORD, Settings, variables_of
from modelarts.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

logger = logging.getLogger("modelarts")

_CREDENTIALS = (*KEYS, *PASSWORD, "project_id", "app_id", "app_token", "w3_account", "w3_password")

_warned: set[Path] = set()  # each file once
_reported: list[str] = []  # in local mode, the first credentials that were not used
_HAS_MODES = os.name == "posix"  # elsewhere the mode of a file does not tell who can read it


# --- local mode


def local_mode() -> bool:
    """Whether the environment makes every session of this process a local one, whatever the script says."""
    return variable("MODELARTS_MODE").lower() == "local"


def without_credentials(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a session in local mode: those that log in are not used, which is reported once per process."""
    unused = [name for name in _CREDENTIALS if arguments.get(name)]
    named = arguments.get("config_file")
    if isinstance(named, (str, os.PathLike)) and not absolute(named).exists():  # it is on the machine of its author
        unused.append("config_file")
    if unused and not _reported:
        _reported.extend(unused)
        logger.warning(
            "MODELARTS_MODE=local: sessions are on this machine, %s of the script %s not used", ", ".join(unused),
            "is" if len(unused) == 1 else "are",
        )  # fmt: skip
    return {name: value for name, value in arguments.items() if name not in (*_CREDENTIALS, "region_name", *unused)}


# --- credentials


def means_cloud(settings: Settings) -> bool:
    """Whether `Session()` is one on the cloud: unless the mode is local, or an argument names credentials.

    In `config.json` the mode is a default; in the environment it is the user's word about this run.
    """
    if local_mode():
        return False
    mode, login = settings["mode"], settings.login
    if mode.value != "local":
        return True
    if login is None or not login.is_argument:
        return False
    return mode.origin is None or _is_before(settings, login, mode.origin)


def by_password(settings: Settings) -> bool:
    """Whether the session logs in with a password; access keys take precedence."""
    return not settings["access_key"].value and not settings["secret_key"].value


def check(settings: Settings) -> None:
    """Check that the credentials are complete, and that there is a region.

    Raises:
        ConfigError: they are not; the message lists what was found, and where.
    """
    login = settings.login
    for source in settings.sources:
        if source.problem and (source.chosen or login is None or _is_before(settings, source, login)):
            raise ConfigError(source.problem)
    if login is None:
        raise ConfigError(_nothing_found(settings))
    needed = ("username", "password") if by_password(settings) else ("access_key", "secret_key")
    if not all(settings[name].value for name in (*needed, "region_name")):
        raise ConfigError(_incomplete(settings, needed))
    if login.file is not None:
        _warn_if_others_can_read(login.file)


def _is_before(settings: Settings, one: SettingSource, other: SettingSource) -> bool:
    return settings.sources.index(one) < settings.sources.index(other)


def check_arguments(settings: Settings) -> None:
    """Check that the arguments fit together. Raises `ConfigError`."""
    names = set(settings.sources[0].values)
    if names & set(PASSWORD) and names & set(KEYS):
        raise ConfigError("give access_key and secret_key, or username and password, not both")
    if names & set(PASSWORD) and "username" not in names:
        raise ConfigError("username is missing: a session by password needs username, password and region_name")
    if "security_token" in names and not names & {"access_key", "secret_key"}:
        raise ConfigError("security_token needs access_key and secret_key; give all three")


def refuse(**unsupported: str | None) -> None:
    """Raise `ConfigError` for arguments of logins that are not supported."""
    for name, value in unsupported.items():
        if value is not None:
            raise ConfigError(
                f"{name} is not supported; log in with access_key and secret_key, or with username and password"
            )


def _nothing_found(settings: Settings) -> str:
    lines = "".join(f"\n  - {source.title}: {source.why_no_login}" for source in settings.sources)
    return (
        f"Session() found no credentials. Sources, in this order:{lines}\n"
        f"Give access_key and secret_key, or username and password, as arguments, or set {variables_of('access_key')} "
        f"and {variables_of('secret_key')}. To work on this machine without an account, call Session.local() or set "
        "MODELARTS_MODE=local."
    )


def _incomplete(settings: Settings, needed: tuple[str, ...]) -> str:
    lines = []
    for name in (*needed, "region_name"):
        if settings[name].value:
            lines.append(f"\n  - {name}: found ({settings[name].source})")
        elif name == "region_name":
            lines.append(f"\n  - {name}: missing: argument, {variables_of(name)}, or the file")
        else:
            partner = next(other for other in needed if settings[other].value)
            rule = f"give it where {partner} is; all credentials must come from one source"
            lines.append(f"\n  - {name}: missing: {rule}")
    return f"The credentials are not complete:{''.join(lines)}"


def _warn_if_others_can_read(file: Path) -> None:
    if not _HAS_MODES:
        return
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH) and file not in _warned:
        _warned.add(file)
        logger.warning("%s holds credentials and other users can read it: run chmod 600 %s", file, file)


# --- access keys


def keys_auth(settings: Settings, project_id: str) -> Auth:
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
        raise ConfigError(f"{source.title} holds no access key with its secret any more")
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
