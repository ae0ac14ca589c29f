"""The places that settings come from, in their one order, and the files among them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Callable, Optional, Protocol

import attrs

from modelarts.errors import ConfigError, shortened

logger = logging.getLogger("modelarts")

_told: set[tuple[str, str]] = set()  # names that are no settings, each with its place
# What other tools' files call our settings.
_HUAWEI = {"ak": "access_key", "sk": "secret_key", "security_token": "security_token", "project_id": "project_id",
           "iam_endpoint": "iam_endpoint"}  # fmt: skip
_SHARED = {"access_key_id": "access_key", "secret_access_key": "secret_key", "security_token": "security_token"}
# Older variables that name a credentials file. Only our members of it are taken: those of AWS itself start with `aws_`.
_HUAWEI_FILE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
_FILES = ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_FILE", "AWS_CONFIG_FILE")


class Row(Protocol):
    """What is to be known of a setting in order to look for it."""

    @property
    def name(self) -> str: ...

    @property
    def env(self) -> tuple[str, ...]: ...


@attrs.frozen
class SettingSource:
    """A place that settings come from.

    Args:
        title: what it is called.
        held: what it gives, by setting: the value, and where exactly it was.
        asked: whether the caller named it, as an argument; what was asked for counts before all else.
        file: the file behind the login that it gives, which may change.
        read: reads that file again.
        note: why it gives nothing, in a word or two.
        fault: what is wrong with it.
        bound: settings that it gives for its own login only.
        chosen: whether somebody chose it by name, so that its fault counts even where it is not needed.
    """

    title: str
    held: Mapping[str, tuple[Any, str]] = attrs.field(repr=False)
    asked: bool = False
    file: Optional[Path] = None
    read: Callable[[], Mapping[str, Any]] = attrs.field(default=dict, repr=False)
    note: str = ""
    fault: str = ""
    bound: tuple[str, ...] = ("project_id",)
    chosen: bool = False

    @property
    def gives_login(self) -> bool:
        """Whether it has a part that a login begins with; a lone password or token is none."""
        return any(name in self.held for name in ("access_key", "secret_key", "username"))

    @property
    def who(self) -> tuple[Any, ...]:
        """Whose login it gives."""
        return tuple(self.held.get(name, ("",))[0] for name in ("access_key", "account", "username"))

    @property
    def no_login(self) -> str:
        """Why it gives no login, in a word or two."""
        parts = [name for name in ("account", "password", "security_token") if name in self.held]
        begins = "access_key" if parts == ["security_token"] else "username"
        return f"{' and '.join(parts)} without {begins}" if parts else self.note or "no login"


def places(rows: Iterable[Row], arguments: Mapping[str, Any], home: Path) -> list[SettingSource]:
    """The places in their order: of a setting that several have, the first counts.

    A profile or a file that is named by argument comes directly after the arguments.

    Raises:
        ConfigError: `config.json` is broken, or what was named by argument is not there or is no path.
    """
    variables = {row.name: row.env for row in rows}
    named = arguments.get("config_file")
    path = _named_path(named) if named else home / "config.json"
    stored = read_json(path, must=bool(named))
    name, said_by = _profile_name(arguments, stored, path)
    by_argument = said_by == "argument"
    profile = [_profile(variables, path, name, said_by, by_argument or bool(named))] if name else []
    file = _json_place(variables, f"file {path}", path, lambda: read_json(path, must=True), stored, bool(named))
    return [
        SettingSource("arguments", _held(variables, arguments, "argument"), asked=True),
        *(profile if by_argument or named else []),
        *([file] if named else []),
        SettingSource("environment", _environment(variables, general=True)),
        _older_environment(variables),
        _huawei_place(variables),
        *([] if by_argument or named else profile),
        *([] if named else [file]),
    ]


def whole(path: str | os.PathLike[str]) -> Path:
    """A path of this machine from its root on, with the home of a user for a `~` at its beginning."""
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111  pathlib raises for "~nobody"


def variable(name: str) -> str:
    """An environment variable that names something; blanks and line breaks around it are a file's, not its own."""
    return os.environ.get(name, "").strip()


def read_json(path: Path, must: bool = False) -> dict[str, Any]:
    """The settings of a file; empty when there is none. Raises `ConfigError`."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except (FileNotFoundError, NotADirectoryError) as error:
        if must:
            raise ConfigError(f"settings file {path}: {error.strerror}") from None
        return {}
    except (OSError, RecursionError, ValueError) as error:
        elsewhere = isinstance(error, PermissionError) and not must  # as in a container whose HOME is that of root
        advice = ", or set MODELARTS_HOME to a folder of its own" if elsewhere else ""
        raise ConfigError(f"settings file {path}: {_trouble(error)}{advice}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f'settings file {path}: it holds no JSON object; write {{"name": value}}')
    return settings


def _named_path(named: Any) -> Path:
    """The path of the file that the argument `config_file` names."""
    try:
        return whole(named)
    except TypeError:
        raise ConfigError(f"config_file={shortened(named)} (argument): write the path of a settings file") from None


def _trouble(error: Exception) -> str:
    """What keeps a file from being read, and what to do about it."""
    remedy = "let this user read it" if isinstance(error, PermissionError) else "correct it or remove it"
    return f"{getattr(error, 'strerror', None) or error}; {remedy}"


def _held(names: Iterable[str], members: Mapping[str, Any], where: str) -> dict[str, tuple[Any, str]]:
    """What is a setting and not empty."""
    found = ((name, members.get(name)) for name in names)
    return {name: (value, where) for name, value in found if _is_set(value)}


def _is_set(value: Any) -> bool:
    """Whether there is anything: a text of blanks, or an empty line of a file from Windows, is nothing."""
    return bool(value.strip()) if isinstance(value, str) else value is not None


# --- the environment


def _environment(variables: Mapping[str, tuple[str, ...]], general: bool) -> dict[str, tuple[Any, str]]:
    """Settings from variables with our prefix or Huawei's general one, or from all others."""
    found: dict[str, tuple[Any, str]] = {}
    for name, candidates in variables.items():
        for candidate in candidates:
            if variable(candidate) and candidate.startswith(("HUAWEICLOUD_", "MODELARTS_")) == general:
                found.setdefault(name, (os.environ[candidate], f"environment {candidate}"))
    return found


def _older_environment(variables: Mapping[str, tuple[str, ...]]) -> SettingSource:
    """Older variables, and the credentials file that one of them names: together they are one place."""
    found = _environment(variables, general=False)
    named_by = next((name for name in _FILES if variable(name)), "")
    if not named_by:
        return SettingSource(f"file of {_FILES[0]}", found, note="variable not set")
    place = _ini_place(variables, variable(named_by), named_by, "default", _SHARED)
    return attrs.evolve(place, held={**place.held, **found}, title=f"{place.title} ({named_by})")


# --- credentials files of other tools


class _NotThere(ConfigError):
    """There is no such file."""


def _huawei_place(names: Iterable[str]) -> SettingSource:
    """The file of Huawei's general SDK. Its address of IAM goes with its keys: other passwords are not to get there."""
    named = variable(_HUAWEI_FILE)
    place = _ini_place(names, named or "~/.huaweicloud/credentials", named and _HUAWEI_FILE, "basic", _HUAWEI)
    return attrs.evolve(place, bound=("project_id", "iam_endpoint"))


def _ini_place(
    names: Iterable[str], named: str, named_by: str, section: str, spelled: Mapping[str, str]
) -> SettingSource:
    """A credentials file. One that a variable names has to be there: the next place may hold somebody else's login."""
    path = whole(named)

    def read() -> Mapping[str, Any]:
        return _read_ini(path, section, spelled)

    title = f"file {path}"
    try:
        return SettingSource(title, _held(names, read(), title), file=path, read=read, note=f"no login in [{section}]")
    except _NotThere as error:
        fault = f"{error} (environment {named_by}); correct the variable, or unset it" if named_by else ""
        return SettingSource(title, {}, note="not there", fault=fault)
    except ConfigError as error:
        return SettingSource(title, {}, fault=str(error))


def _read_ini(path: Path, section: str, spelled: Mapping[str, str]) -> dict[str, str]:
    """Our settings from one section of a file. Raises `ConfigError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _NotThere(f"credentials file {path}: {error.strerror}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"credentials file {path}: {_trouble(error)}") from None
    from configparser import Error, RawConfigParser  # only who has such a file pays for it

    parser = RawConfigParser()
    try:
        parser.read_string(text)
    except Error as error:  # its message would show a line, perhaps with a secret
        line = getattr(error, "lineno", None) or getattr(error, "errors", [("?",)])[0][0]
        raise ConfigError(f"credentials file {path}: line {line} cannot be read; correct it or remove it") from None
    there = dict(parser.items(section)) if parser.has_section(section) else {}
    return {ours: there[theirs] for theirs, ours in spelled.items() if there.get(theirs)}


# --- config.json


def _json_place(
    names: Iterable[str], title: str, path: Path, read: Callable[[], Mapping[str, Any]], members: Mapping[str, Any],
    asked: bool,
) -> SettingSource:  # fmt: skip
    _warn_of_unknown(names, title, members)
    note = "no login in it" if path.exists() else "not there"
    return SettingSource(title, _held(names, members, title), asked, path, read, note)


def _warn_of_unknown(names: Iterable[str], title: str, members: Mapping[str, Any]) -> None:
    """Tell once what is no setting: most often it is a misspelled one, which would count for nothing."""
    for name in {*members} - {*names, "profile", "profiles"}:
        if (title, name) not in _told:
            from difflib import get_close_matches  # only who mistypes pays for it

            _told.add((title, name))
            near = get_close_matches(name, names, 1)
            advice = f"did you mean {near[0]!r}?" if near else "`modelarts config show` lists them all"
            logger.warning("%s: there is no setting %s; %s", title, shortened(name), advice)


def _profile_name(arguments: Mapping[str, Any], stored: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """The profile that is to be used, and who says so."""
    in_environment = "" if arguments.get("config_file") else variable("MODELARTS_PROFILE")  # means another file
    said = (
        (arguments.get("profile"), "argument"),
        (in_environment, "environment MODELARTS_PROFILE"),
        (stored.get("profile"), f"file {path}"),
    )
    names = ((str(name or "").strip(), by) for name, by in said)
    return next((found for found in names if found[0]), ("", ""))


def _profile(names: Iterable[str], path: Path, name: str, said_by: str, asked: bool) -> SettingSource:
    """One profile of the file. Only who asks for it by argument needs it at once: a local session needs none."""

    def read() -> Mapping[str, Any]:
        profiles = read_json(path).get("profiles")
        known = profiles if isinstance(profiles, dict) else {}
        found = known.get(name)
        if isinstance(found, dict):
            return found
        there = f"only the profiles {', '.join(known)}" if known else "no profiles"
        what = 'no JSON object for it; write {"name": value}' if name in known else there
        raise ConfigError(f"profile={name!r} ({said_by}): {path} has {what}")

    title = f"profile {name!r} of {path}"
    try:
        return _json_place(names, title, path, read, read(), asked)
    except ConfigError as error:
        if asked:
            raise
        return SettingSource(title, {}, fault=str(error), chosen=True)
