"""The credentials of a session: complete, and all from one source."""

from __future__ import annotations

import logging
import os
import stat
from typing import TYPE_CHECKING

from modelarts._auth import local_mode
from modelarts._settings.sources import SettingSource
from modelarts._settings.table import KEYS, PASSWORD, Settings, variables_of
from modelarts.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger("modelarts")

_warned: set[Path] = set()  # each file once
_HAS_MODES = os.name == "posix"  # elsewhere the mode of a file does not tell who can read it


def means_cloud(settings: Settings) -> bool:
    """Whether `Session()` is one on the cloud: unless the mode is local, or an argument names credentials.

    In `config.json` the mode is a default; in the environment it is the user's word about this run.
    """
    if local_mode.is_on():
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
