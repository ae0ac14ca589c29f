"""The files among the sources: JSON files of our own, and credentials files of other tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelarts.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


class FileMissing(ConfigError):
    """A credentials file does not exist."""


def read_json(path: Path, required: bool = False) -> dict[str, Any]:
    """The settings in a JSON file; empty if there is no such file and none is required.

    Raises:
        ConfigError: it cannot be read, or is required and missing.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8-sig"))  # some editors write a byte order mark
    except (FileNotFoundError, NotADirectoryError) as error:
        if required:
            raise ConfigError(f"settings file {path}: {error.strerror}") from None
        return {}
    except (OSError, RecursionError, ValueError) as error:
        elsewhere = isinstance(error, PermissionError) and not required  # as in a container whose HOME is that of root
        advice = ", or set MODELARTS_HOME to a folder of its own" if elsewhere else ""
        raise ConfigError(f"settings file {path}: {_problem(error)}{advice}") from None
    if not isinstance(settings, dict):
        raise ConfigError(f'settings file {path}: it holds no JSON object; write {{"name": value}}')
    return settings


def read_ini(path: Path, section: str, names: Mapping[str, str]) -> dict[str, str]:
    """The settings in one section of a credentials file.

    Args:
        names: our name for each name of the file.

    Raises:
        FileMissing: there is no such file.
        ConfigError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileMissing(f"credentials file {path}: {error.strerror}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"credentials file {path}: {_problem(error)}") from None
    from configparser import Error, RawConfigParser  # rarely needed

    parser = RawConfigParser()
    try:
        parser.read_string(text)
    except Error as error:  # its message would quote a line, perhaps with a secret
        line = getattr(error, "lineno", None) or getattr(error, "errors", [("?",)])[0][0]
        raise ConfigError(f"credentials file {path}: line {line} cannot be read; correct it or remove it") from None
    values = dict(parser.items(section)) if parser.has_section(section) else {}
    return {ours: values[theirs] for theirs, ours in names.items() if values.get(theirs)}


def _problem(error: Exception) -> str:
    """Why a file cannot be read, and what to do about it."""
    remedy = "let this user read it" if isinstance(error, PermissionError) else "correct it or remove it"
    return f"{getattr(error, 'strerror', None) or error}; {remedy}"
