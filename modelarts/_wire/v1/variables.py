"""Environment variables of a job: which names and values a user may give, and which names the platform sets itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAME_RULE = "letters, digits and underscores, not beginning with a digit"
LENGTH = 128 * 1024 - 2  # bytes of name and value together: the kernel counts `=` and a NUL, too
LENGTH_OF_ALL = 384 * 1024  # bytes; hyperparameters leave half a MiB, and the platform sets variables, too

_OWN = frozenset((
    "PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONUSERBASE",
    "VIRTUAL_ENV",
    "DATA_URL", "TRAIN_URL", "APP_URL",
    "RANK_TABLE_FILE", "RANK_SIZE", "RANK_ID", "DEVICE_ID", "JOB_ID",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "S3_ENDPOINT",
))  # fmt: skip
# What a shell, programs and libraries of an image rely on: nobody means these by a hyperparameter.
_OF_SYSTEMS = frozenset((
    "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TMPDIR", "LANG", "ENV", "BASH_ENV", "IFS", "LD_LIBRARY_PATH",
    "LD_PRELOAD",
))  # fmt: skip
_OWN_PREFIXES = ("BATCH_", "DLS_", "MINER_", "MODELARTS_")


def is_reserved(name: str) -> bool:
    """Whether the platform sets a variable of this name."""
    return name in _OWN or name.startswith(_OWN_PREFIXES)


def hyperparameter_problem(name: str) -> str:
    """Why a hyperparameter of a custom image, which is a variable there, cannot have this name; or an empty text."""
    if not is_reserved(name) and name not in _OF_SYSTEMS:
        return ""
    return "is an environment variable of the container, which it would replace; choose another name"


def problem(name: str, value: str) -> str:
    """The rule that a variable breaks, without its value, which may be secret; else an empty text."""
    if not NAME.fullmatch(name):
        return f"the name of an environment variable has {NAME_RULE}"
    if is_reserved(name):
        return "the platform sets this variable itself; choose another name"
    if "\0" in value:
        return "the value of an environment variable has no NUL character"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "the value of an environment variable is a text that UTF-8 can encode: without unpaired surrogates"
    size = len(name) + len(value.encode())
    return f"name and value have at most {LENGTH} bytes together; these have {size}" if size > LENGTH else ""


def length_problem(given: Iterable[tuple[str, str]]) -> str:
    """The rule that all variables together break; else an empty text."""
    size = sum(len(name) + len(value.encode()) + 2 for name, value in given)
    if size <= LENGTH_OF_ALL:
        return ""
    return f"all variables together have at most {LENGTH_OF_ALL} bytes; these have {size}; save long ones to a file"
