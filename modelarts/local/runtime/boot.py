"""Which program starts the boot file of a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelarts._obs.paths import ObsPath
from modelarts._wire.v1 import limits


def relative(body: Mapping[str, Any]) -> str:
    """The boot file relative to the working directory, `folder/train.py`; empty if a version has none."""
    if not body["app_url"] or not body["boot_file_url"]:
        return ""
    code, boot_file = ObsPath.parse(body["app_url"]), ObsPath.parse(body["boot_file_url"])
    return f"{code.name}/{boot_file.key[len(code.as_dir.key) :]}"


def fault(body: Mapping[str, Any]) -> str:
    """Why the boot file cannot be started, or an empty text. A custom image starts its command instead."""
    if not body["boot_file_url"] or body["user_command"]:
        return ""
    rule = limits.boot_rule(body["boot_file_url"])
    return f"the boot file {relative(body)} cannot be started: it must be {rule}" if rule else ""


def program(boot_file: str, interpreter: str) -> list[str]:
    """What runs the boot file: the interpreter of the engine, or a shell."""
    return ["bash"] if boot_file.lower().endswith(".sh") else [interpreter]
