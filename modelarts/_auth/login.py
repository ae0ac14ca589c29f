"""Who you are: the login that the settings give, whole and from one place, and the endpoints it is for."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, Optional

import attrs

from modelarts._auth.signing import AkSkAuth, Auth, Keys
from modelarts._settings import table
from modelarts._settings.sources import SettingSource
from modelarts._settings.table import KEYS, PASSWORD, Settings
from modelarts.errors import ConfigError

logger = logging.getLogger("modelarts")

REGIONS = ("cn-north-1", "cn-north-4", "cn-east-3", "cn-south-1")
SERVICES = ("modelarts", "iam", "obs")

_HAS_MODES = os.name != "nt"  # the modes of files on Windows say nothing about other users
_warned: set[Path] = set()  # about each file once


# --- the login


def means_cloud(settings: Settings) -> bool:
    """Whether an argument-less session is one on the cloud: unless the mode is local, or a login was asked for."""
    mode, login = settings["mode"], settings.login
    if mode.value != "local":
        return True
    asked = login is not None and login.asked
    return asked and (mode.place is None or settings.places.index(login) < settings.places.index(mode.place))


def by_password(settings: Settings) -> bool:
    """Whether the login is a user's password; where there are keys too, they count."""
    return not settings["access_key"].value and not settings["secret_key"].value


def check(settings: Settings) -> None:
    """See that there is a whole login, and a region. Raises `ConfigError`, which says what was looked at."""
    login = settings.login
    for place in settings.places:
        if place.fault and (place.chosen or login is None or _before(settings, place, login)):
            raise ConfigError(place.fault)
    if login is None:
        raise ConfigError(_nothing_found(settings))
    needed = ("username", "password") if by_password(settings) else ("access_key", "secret_key")
    if not all(settings[name].value for name in (*needed, "region_name")):
        raise ConfigError(_incomplete(settings, needed))
    if login.file is not None:
        _warn_if_others_can_read(login.file)


def _before(settings: Settings, place: SettingSource, login: SettingSource) -> bool:
    return settings.places.index(place) < settings.places.index(login)


def check_arguments(settings: Settings) -> None:
    """Refuse arguments that make no sense without others. Raises `ConfigError`."""
    names = set(settings.places[0].held)
    if names & set(PASSWORD) and names & set(KEYS):
        raise ConfigError("give access_key and secret_key, or username and password, not both")
    if names & set(PASSWORD) and "username" not in names:
        raise ConfigError("username is missing: a session by password needs username, password and region_name")
    if "security_token" in names and not names & {"access_key", "secret_key"}:
        raise ConfigError("security_token goes with access_key and secret_key; give all three")


def _nothing_found(settings: Settings) -> str:
    lines = "".join(f"\n  - {place.title}: {place.no_login}" for place in settings.places)
    return (
        f"Session() found no credentials. Looked at, in this order:{lines}\n"
        f"Give access_key and secret_key, or username and password, as arguments, or set {_variables('access_key')} "
        f"and {_variables('secret_key')}. To work on this machine without an account, call Session.local() or set "
        "MODELARTS_MODE=local."
    )


def _incomplete(settings: Settings, needed: tuple[str, ...]) -> str:
    lines = []
    for name in (*needed, "region_name"):
        if settings[name].value:
            lines.append(f"\n  - {name}: found ({settings[name].source})")
        elif name == "region_name":
            lines.append(f"\n  - {name}: missing: argument, {_variables(name)}, or the file")
        else:
            partner = next(other for other in needed if settings[other].value)
            lines.append(f"\n  - {name}: missing: give it where {partner} is; a login is not put together of parts")
    return f"The login is not complete:{''.join(lines)}"


def _variables(name: str) -> str:
    return " or ".join(next(setting.env for setting in table.SETTINGS if setting.name == name))


def _warn_if_others_can_read(file: Path) -> None:
    if not _HAS_MODES:
        return
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH) and file not in _warned:
        _warned.add(file)
        logger.warning("%s holds credentials and others can read it: run chmod 600 %s", file, file)


# --- access keys


def keys_auth(settings: Settings, project_id: str) -> Auth:
    """The signature with the keys of the settings; those of a file are read again when it changes."""
    login = settings.login
    if login is not None and login.file is not None:
        return FileKeys(login.file, lambda: _keys_in(login), project_id)
    key, secret, token = (settings[name].value for name in KEYS)
    return AkSkAuth(key, secret, project_id, token)


def _keys_in(place: SettingSource) -> Keys:
    found = place.read()
    key, secret, token = (table.checked(name, found.get(name) or "", place.title) for name in KEYS)
    if not (key and secret):
        raise ConfigError(f"{place.title} holds no access key with its secret any more")
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
            logger.warning("%s; going on with the keys that were read before", error)

    def _signer_of(self, keys: Keys) -> AkSkAuth:
        return AkSkAuth(keys.access_key, keys.secret_key, self._project_id, keys.security_token)


def _stamp(file: Path) -> Optional[tuple[int, int, int]]:
    """What differs when a file was written anew or put in its place."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# --- endpoints


@attrs.frozen
class Endpoints:
    """The addresses of a region's services, each with where it came from."""

    region_name: str
    found: Mapping[str, table.Value]

    @property
    def known(self) -> list[str]:
        """The addresses that are known."""
        return [str(value.value) for value in self.found.values() if value.value]

    def url(self, service: str) -> str:
        """The address of `modelarts`, `iam` or `obs`. Raises `ConfigError` where it is not known."""
        url = str(self.found[service].value)
        if url:
            return url
        if service == "modelarts":
            raise ConfigError(
                f"region_name={self.region_name!r} is unknown; known are {', '.join(REGIONS)}. "
                f"For another one call Session.set_endpoint(…) first, or set {_variables('modelarts_endpoint')}."
            )
        raise ConfigError(
            f"{service}_endpoint is missing: of region_name={self.region_name!r} only some endpoints are known. "
            f"Call Session.set_endpoint(…) first, or set {_variables(f'{service}_endpoint')}."
        )


def endpoints(settings: Settings, given: Mapping[str, Mapping[str, str]]) -> Endpoints:
    """The endpoints of the session's region: from `Session.set_endpoint`, else a setting, else the known ones."""
    region = str(settings["region_name"].value)
    return Endpoints(region, {service: _endpoint(service, region, settings, given) for service in SERVICES})


def _endpoint(service: str, region: str, settings: Settings, given: Mapping[str, Mapping[str, Any]]) -> table.Value:
    if given.get(region, {}).get(service):
        return table.Value(given[region][service], "Session.set_endpoint")
    setting = settings[f"{service}_endpoint"]
    if setting.value or region not in REGIONS:
        return setting
    return table.Value(f"https://{service}.{region}.myhuaweicloud.com", f"region {region}")
