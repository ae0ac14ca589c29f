"""One settings table: an argument beats the environment, that beats the file, that beats the default."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, Union

import attrs

from modelarts.errors import ConfigError

MASK = "****"


def _text(value: Any) -> str:
    return str(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return known[str(value).strip().lower()]
    except KeyError:
        raise ValueError("write 1 or 0, true or false") from None


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not seconds > 0:
        raise ValueError("write a number of seconds above 0")
    return seconds


def _count(value: Any) -> int:
    number = int(value)
    if number < 1:
        raise ValueError("write a whole number from 1")
    return number


def _port(value: Any) -> int:
    port = int(value)
    if not 0 <= port <= 65535:
        raise ValueError("write a port from 1 to 65535, or 0 for any free one")
    return port


def _mode(value: Any) -> str:
    mode = str(value).strip().lower()
    if mode not in ("", "local", "cloud"):
        raise ValueError("write local or cloud")
    return mode


def _table(value: Any) -> dict[str, str]:
    table = json.loads(value) if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise ValueError('write a JSON object such as {"TensorFlow": "/opt/tf/bin/python"}')
    return {str(name): str(item) for name, item in table.items()}


@attrs.frozen
class Setting:
    """One row: its name, its environment variables in their order, how a value is read, what it is for."""

    name: str
    env: tuple[str, ...]
    default: Any
    convert: Callable[[Any], Any]
    help: str
    secret: bool = False


SETTINGS = (
    Setting("mode", ("MODELARTS_MODE",), "", _mode,
            "`local` makes an argument-less `Session()` one on the local service"),
    Setting("access_key", ("HUAWEICLOUD_SDK_AK",), "", _text, "access key id of a cloud session"),
    Setting("secret_key", ("HUAWEICLOUD_SDK_SK",), "", _text, "secret access key of a cloud session", True),
    Setting("security_token", ("HUAWEICLOUD_SDK_SECURITY_TOKEN",), "", _text,
            "security token of temporary access keys", True),
    Setting("project_id", ("HUAWEICLOUD_SDK_PROJECT_ID", "PROJECT_ID"), "", _text, "project id of a cloud session"),
    Setting("region_name", ("REGION_NAME", "S3_REGION"), "", _text, "region of a cloud session, such as cn-north-4"),
    Setting("strict", ("MODELARTS_STRICT",), False, _flag, "a refused call raises instead of returning a response"),
    Setting("connect_timeout", ("MODELARTS_CONNECT_TIMEOUT",), 10.0, _seconds, "seconds to reach the service"),
    Setting("read_timeout", ("MODELARTS_READ_TIMEOUT",), 60.0, _seconds, "seconds to wait for the next bytes"),
    Setting("catalog_lifetime", ("MODELARTS_CATALOG_LIFETIME",), 600.0, _seconds,
            "seconds for which looked-up flavors, engines and algorithms are kept"),
    Setting("local_port", ("MODELARTS_LOCAL_PORT",), 0, _port, "port of the local service; 0 takes any free one"),
    Setting("local_idle_timeout", ("MODELARTS_LOCAL_IDLE_TIMEOUT",), 3600.0, _seconds,
            "seconds without a call or a job after which the local service ends itself"),
    Setting("local_capacity", ("MODELARTS_LOCAL_CAPACITY",), None, _count,
            "versions that the local service runs at once; by default one for each CPU core"),
    Setting("local_python", ("MODELARTS_LOCAL_PYTHON",), {}, _table,
            "interpreters of engines, by engine name or version, as a JSON object; the rest run on the service's own"),
)  # fmt: skip

_BY_NAME = {setting.name: setting for setting in SETTINGS}


@attrs.frozen
class Value:
    """A resolved setting and where it came from."""

    value: Any = attrs.field(repr=False)
    source: str


@attrs.frozen
class Sending:
    """How a session sends: time-outs in seconds, and what certificates it trusts and shows."""

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    total_timeout: float = 300.0
    verify: Union[bool, str] = True
    client_cert: Union[str, tuple[str, str], None] = None


def home_directory(home: str | os.PathLike[str] | None = None) -> Path:
    """Where all state lives: the argument, else `MODELARTS_HOME`, else `~/.modelarts`."""
    return Path(home or os.environ.get("MODELARTS_HOME") or "~/.modelarts").expanduser().absolute()


def read_file(home: Path) -> dict[str, Any]:
    """The settings of `<home>/config.json`; empty when there is none. Raises `ConfigError`."""
    path = home / "config.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"settings file {path}: {error}; mend it or remove it") from None
    if not isinstance(settings, dict):
        raise ConfigError(f"settings file {path}: it holds no JSON object; write {{\"name\": value}}")
    return settings


def resolve(arguments: Mapping[str, Any] | None = None, home: Path | None = None) -> dict[str, Value]:
    """Every setting with its source. Raises `ConfigError` for a value that breaks its setting's rule."""
    given = arguments or {}
    place = home or home_directory()
    stored = read_file(place)
    return {setting.name: _resolved(setting, given, stored, place) for setting in SETTINGS}


def value_of(name: str, home: Path | None = None) -> Any:
    """One setting, from environment, file or default."""
    place = home or home_directory()
    return _resolved(_BY_NAME[name], {}, read_file(place), place).value


def _resolved(setting: Setting, given: Mapping[str, Any], stored: Mapping[str, Any], home: Path) -> Value:
    if given.get(setting.name) is not None:
        return _converted(setting, given[setting.name], "argument")
    for variable in setting.env:
        if os.environ.get(variable):
            return _converted(setting, os.environ[variable], f"environment {variable}")
    if stored.get(setting.name) is not None:
        return _converted(setting, stored[setting.name], f"file {home / 'config.json'}")
    return Value(setting.default, "default")


def _converted(setting: Setting, value: Any, source: str) -> Value:
    try:
        return Value(setting.convert(value), source)
    except (TypeError, ValueError) as error:
        shown = MASK if setting.secret else repr(value)
        raise ConfigError(f"{setting.name}={shown} ({source}): {error}") from None
