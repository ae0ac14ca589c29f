"""Checks of values in requests; the service's own, independent of those of the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts._obs.paths import MachinePath, ObsPath, parse_path
from modelarts._wire.json_records import as_integer
from modelarts._wire.v1 import limits
from modelarts._wire.v1.status import JOB_STATE
from modelarts.local import layout
from modelarts.local.api.errors import bad_value

# Paths that are other folders in a job than on the machine.
_OF_JOBS = ("/", *layout.placed([layout.CACHE, layout.TMP, layout.WORK, layout.JOB_DIR], ""))


def json_object(value: Any) -> dict[str, Any]:
    """A request body, which must be a JSON object."""
    if not isinstance(value, dict):
        raise bad_value("the body must be a JSON object")
    return value


def name(body: Mapping[str, Any], member: str) -> str:
    """The name of a job or a configuration."""
    value = body.get(member)
    if not isinstance(value, str) or not limits.NAME.fullmatch(value):
        raise bad_value(f"{member} must be {limits.NAME_RULE}, got {shown(value)}")
    return value


def description(body: Mapping[str, Any], member: str, required: bool = False) -> str:
    """A description; the empty text when it is missing and not required."""
    value = body.get(member)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or len(value) > limits.DESCRIPTION_LENGTH:
        raise bad_value(f"{member} must be a text of 0 to {limits.DESCRIPTION_LENGTH} characters, got {shown(value)}")
    return value


def text(body: Mapping[str, Any], member: str, default: str = "") -> str:
    """A text; the default when it is missing."""
    value = body.get(member)
    if value is None:
        return default
    if not isinstance(value, str) or "\0" in value:
        raise bad_value(f"{member} must be a text without NUL characters, got {shown(value)}")
    return value


def integer(value: Any, member: str, minimum: int = 0, maximum: int = 2**63 - 1) -> int:
    """A whole number, or a text of one."""
    number = as_integer(value)
    if not isinstance(number, int) or isinstance(number, bool) or not minimum <= number <= maximum:
        upper = "" if maximum == 2**63 - 1 else f" to {maximum}"
        raise bad_value(f"{member} must be a whole number from {minimum}{upper}, got {shown(value)}")
    return number


def boolean(body: Mapping[str, Any], member: str, default: bool) -> bool:
    """True or false; the default when it is missing."""
    value = body.get(member)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise bad_value(f"{member} must be true or false, got {shown(value)}")
    return value


def statuses(text: str) -> set[int]:
    """The statuses of a filter: numbers or names, separated by vertical bars."""
    return {_status(item.strip()) for item in text.split("|")} if text.strip() else set()


def _status(item: str) -> int:
    number = as_integer(item)
    if isinstance(number, int) and 0 <= number < len(JOB_STATE):
        return number
    for number, name in enumerate(JOB_STATE):
        if item.upper() in (name, name.replace("JOBSTAT_", "", 1)):
            return number
    raise bad_value(f"status must be a number from 0 to {len(JOB_STATE) - 1} or a status name, got {shown(item)}")


def obs_path(body: Mapping[str, Any], member: str, or_local: bool = False) -> ObsPath | None:
    """An OBS path, or one of this machine if that may be; `None` for a member that is missing or empty."""
    value = text(body, member)
    if not value:
        return None
    try:
        path = (parse_path if or_local else ObsPath.parse)(value)
    except ValueError as error:
        raise bad_value(f"{member} {shown(value)}: {error}") from None
    if isinstance(path, MachinePath) and path.as_file.s3 in _OF_JOBS:
        raise bad_value(f"{member} {shown(value)}: each job has a folder of its own there; name a folder in it")
    return path


def folder(body: Mapping[str, Any], member: str, or_local: bool = False) -> ObsPath | None:
    """A path with a slash at its end; arguments and result as for `obs_path`."""
    path = obs_path(body, member, or_local)
    return path and path.as_dir


def output(body: Mapping[str, Any], member: str, or_local: bool = False) -> ObsPath | None:
    """The path of results, a folder or a file; arguments and result as for `obs_path`."""
    path = obs_path(body, member, or_local)
    return path and path.as_output


def shown(value: Any) -> str:
    """A value for a message, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"
