"""The folder of settings and state, and paths as users write them."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from modelarts.errors import ConfigError, ServiceError, shortened

if TYPE_CHECKING:
    from pathlib import Path


def home_directory(home: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all settings and state: the argument, else `MODELARTS_HOME`, else `~/.modelarts`.

    Raises:
        ConfigError: it is not a path, or starts with `~` and the user has no home.
        ServiceError: no folder can have such a path.
    """
    named = home or variable("MODELARTS_HOME") or "~/.modelarts"
    try:
        expanded = os.fsdecode(os.path.expanduser(named))  # noqa: PTH111  pathlib raises for "~nobody"
    except TypeError:
        raise ConfigError(f"home={shortened(home)}: write the path of a folder for settings and state") from None
    if expanded.startswith("~"):
        raise ConfigError(
            f"{expanded!r} is not a folder: this machine knows no such home; set HOME, or set MODELARTS_HOME to the "
            "absolute path of a folder for settings and state"
        )
    if problem := _problem(expanded):
        raise ServiceError(
            f"the local service cannot keep its state in {shortened(expanded)}: {problem}. Give another folder with "
            "MODELARTS_HOME or Session.local(home=…)."
        )
    try:
        return absolute(expanded)
    except FileNotFoundError:
        raise ConfigError(
            f"{expanded!r} is relative to the working directory, which was removed: give an absolute path with "
            "MODELARTS_HOME or Session.local(home=…)"
        ) from None


def _problem(path: str) -> str:
    """Why no folder can have this path, or an empty text."""
    try:
        os.stat(path)  # noqa: PTH116  pathlib is imported only where it is needed
    except ValueError as error:
        return str(error)
    except OSError as error:
        return os.strerror(error.errno) if error.errno in (errno.ENAMETOOLONG, errno.ELOOP) else ""
    return ""


def absolute(path: str | os.PathLike[str]) -> Path:
    """An absolute path; a `~` at its beginning is the home of a user, if there is one."""
    from pathlib import Path

    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111


def variable(name: str) -> str:
    """An environment variable that names something, without blanks and line breaks around it."""
    return os.environ.get(name, "").strip()
