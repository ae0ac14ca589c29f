"""The sources of settings in their order: arguments, files, the environment."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from modelarts._settings.files import FileMissing, read_ini, read_json
from modelarts._settings.home import absolute, variable
from modelarts.errors import ConfigError, shortened

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger("modelarts")

_warned: set[tuple[str, str]] = set()  # unknown names, each with its file
# What other tools' files call our settings.
_HUAWEI = {"ak": "access_key", "sk": "secret_key", "security_token": "security_token", "project_id": "project_id",
           "iam_endpoint": "iam_endpoint"}  # fmt: skip
_SHARED = {"access_key_id": "access_key", "secret_access_key": "secret_key", "security_token": "security_token"}
# Older variables that name a credentials file. Only our members of it are used: those of AWS itself start with `aws_`.
_HUAWEI_FILE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
_FILES = ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_FILE", "AWS_CONFIG_FILE")


class SettingSource(NamedTuple):
    """A source of settings.

    Args:
        title: its name in messages.
        values: the settings that it has: value, and where exactly it was found.
        is_argument: whether the caller named it, as an argument; such a source counts before all others.
        file: the file behind its credentials, which may change.
        read: reads that file again.
        note: why it has no settings, in a word or two.
        problem: what is wrong with it.
        bound: settings that count with its own credentials only.
        chosen: whether somebody chose it by name, so that its problem is reported even if it is not needed.
    """

    title: str
    values: Mapping[str, tuple[Any, str]]
    is_argument: bool = False
    file: Optional[Path] = None
    read: Callable[[], Mapping[str, Any]] = dict
    note: str = ""
    problem: str = ""
    bound: tuple[str, ...] = ("project_id",)
    chosen: bool = False

    def __repr__(self) -> str:  # without the values: some are secret
        return f"SettingSource({self.title!r})"

    @property
    def has_login(self) -> bool:
        """Whether it has credentials; a password or token alone is none."""
        return any(name in self.values for name in ("access_key", "secret_key", "username"))

    @property
    def user(self) -> tuple[Any, ...]:
        """Whose credentials it has."""
        return tuple(self.values.get(name, ("",))[0] for name in ("access_key", "account", "username"))

    @property
    def why_no_login(self) -> str:
        """Why it has no credentials, in a word or two."""
        parts = [name for name in ("account", "password", "security_token") if name in self.values]
        missing = "access_key" if parts == ["security_token"] else "username"
        return f"{' and '.join(parts)} without {missing}" if parts else self.note or "no login"


def find_sources(
    variables: Mapping[str, tuple[str, ...]], arguments: Mapping[str, Any], home: Path
) -> list[SettingSource]:
    """All sources in their order: the first that has a setting decides.

    A profile or a file that is named by argument comes directly after the arguments.

    Args:
        variables: the environment variables of each setting.
        arguments: settings that were given as arguments.
        home: the folder of `config.json`.

    Raises:
        ConfigError: `config.json` is broken, or what an argument names is missing or not a path.
    """
    named = arguments.get("config_file")
    path = _config_file(named) if named else home / "config.json"
    members = read_json(path, required=bool(named))
    name, named_by = _profile_name(arguments, members, path)
    by_argument = named_by == "argument"
    profile = [_profile(variables, path, name, named_by, by_argument or bool(named))] if name else []
    file = _json_source(variables, f"file {path}", path, lambda: read_json(path, required=True), members, bool(named))
    environment = os.environ.copy()  # as a plain dict, which is many times quicker to ask
    return [
        SettingSource("arguments", _set_ones(variables, arguments, "argument"), is_argument=True),
        *(profile if by_argument or named else []),
        *([file] if named else []),
        SettingSource("environment", _environment(environment, variables, general=True)),
        _older_environment(environment, variables),
        _huawei_file(variables),
        *([] if by_argument or named else profile),
        *([] if named else [file]),
    ]


def _config_file(named: Any) -> Path:
    try:
        return absolute(named)
    except TypeError:
        raise ConfigError(f"config_file={shortened(named)} (argument): write the path of a settings file") from None


def _set_ones(names: Iterable[str], members: Mapping[str, Any], where: str) -> dict[str, tuple[Any, str]]:
    """The members that are settings and not empty."""
    found = ((name, members.get(name)) for name in names)
    return {name: (value, where) for name, value in found if _is_set(value)}


def _is_set(value: Any) -> bool:
    """Whether there is a value: blanks, or an empty line of a file from Windows, are none."""
    return bool(value.strip()) if isinstance(value, str) else value is not None


# --- the environment


def _environment(
    environment: Mapping[str, str], variables: Mapping[str, tuple[str, ...]], general: bool
) -> dict[str, tuple[Any, str]]:
    """Settings from variables with our prefix or Huawei's general one, or from all others."""
    found: dict[str, tuple[Any, str]] = {}
    for name, candidates in variables.items():
        for candidate in candidates:
            value = environment.get(candidate, "")
            if value.strip() and candidate.startswith(("HUAWEICLOUD_", "MODELARTS_")) == general:
                found.setdefault(name, (value, f"environment {candidate}"))
    return found


def _older_environment(environment: Mapping[str, str], variables: Mapping[str, tuple[str, ...]]) -> SettingSource:
    """Older variables, and the credentials file that one of them names: together they are one source."""
    found = _environment(environment, variables, general=False)
    named_by = next((name for name in _FILES if variable(name)), "")
    if not named_by:
        return SettingSource(f"file of {_FILES[0]}", found, note="variable not set")
    source = _ini_source(variables, variable(named_by), named_by, "default", _SHARED)
    return source._replace(values={**source.values, **found}, title=f"{source.title} ({named_by})")


# --- credentials files of other tools


def _huawei_file(settings: Iterable[str]) -> SettingSource:
    """The file of Huawei's general SDK. Its IAM endpoint counts with its keys only: no other password is sent there."""
    named = variable(_HUAWEI_FILE)
    source = _ini_source(settings, named or "~/.huaweicloud/credentials", named and _HUAWEI_FILE, "basic", _HUAWEI)
    return source._replace(bound=("project_id", "iam_endpoint"))


def _ini_source(
    settings: Iterable[str], named: str, named_by: str, section: str, names: Mapping[str, str]
) -> SettingSource:
    """A credentials file. If a variable names it, it must exist: the next source may be the login of somebody else."""
    path = absolute(named)

    def read() -> Mapping[str, Any]:
        return read_ini(path, section, names)

    title, note = f"file {path}", f"no login in [{section}]"
    try:
        return SettingSource(title, _set_ones(settings, read(), title), file=path, read=read, note=note)
    except FileMissing as error:
        problem = f"{error} (environment {named_by}); correct the variable, or unset it" if named_by else ""
        return SettingSource(title, {}, note="not there", problem=problem)
    except ConfigError as error:
        return SettingSource(title, {}, problem=str(error))


# --- config.json


def _json_source(
    settings: Iterable[str], title: str, path: Path, read: Callable[[], Mapping[str, Any]], members: Mapping[str, Any],
    is_argument: bool,
) -> SettingSource:  # fmt: skip
    _warn_of_unknown(settings, title, members)
    note = "no login in it" if path.exists() else "not there"
    return SettingSource(title, _set_ones(settings, members, title), is_argument, path, read, note)


def _warn_of_unknown(settings: Iterable[str], title: str, members: Mapping[str, Any]) -> None:
    """Report once what is not a setting: most often it is a misspelled one, which would have no effect."""
    for name in {*members} - {*settings, "profile", "profiles"}:
        if (title, name) not in _warned:
            from difflib import get_close_matches  # rarely needed

            _warned.add((title, name))
            near = get_close_matches(name, settings, 1)
            advice = f"did you mean {near[0]!r}?" if near else "`modelarts config show` lists them all"
            logger.warning("%s: there is no setting %s; %s", title, shortened(name), advice)


def _profile_name(arguments: Mapping[str, Any], members: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """The profile that is to be used, and what names it."""
    in_environment = "" if arguments.get("config_file") else variable("MODELARTS_PROFILE")  # means another file
    candidates = (
        (arguments.get("profile"), "argument"),
        (in_environment, "environment MODELARTS_PROFILE"),
        (members.get("profile"), f"file {path}"),
    )
    names = ((str(name or "").strip(), by) for name, by in candidates)
    return next((found for found in names if found[0]), ("", ""))


def _profile(settings: Iterable[str], path: Path, name: str, named_by: str, is_argument: bool) -> SettingSource:
    """One profile of the file. A problem is raised only if an argument names it: a local session needs no profile."""

    def read() -> Mapping[str, Any]:
        profiles = read_json(path).get("profiles")
        known = profiles if isinstance(profiles, dict) else {}
        found = known.get(name)
        if isinstance(found, dict):
            return found
        others = f"only the profiles {', '.join(known)}" if known else "no profiles"
        what = 'no JSON object for it; write {"name": value}' if name in known else others
        raise ConfigError(f"profile={name!r} ({named_by}): {path} has {what}")

    title = f"profile {name!r} of {path}"
    try:
        return _json_source(settings, title, path, read, read(), is_argument)
    except ConfigError as error:
        if is_argument:
            raise
        return SettingSource(title, {}, problem=str(error), chosen=True)
