"""Local mode: `MODELARTS_MODE=local` in the environment makes every session a local one."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from modelarts._settings.home import absolute, variable
from modelarts._settings.table import KEYS, PASSWORD

logger = logging.getLogger("modelarts")

_CREDENTIALS = (*KEYS, *PASSWORD, "project_id", "app_id", "app_token", "w3_account", "w3_password")

_reported: list[str] = []  # the first credentials that were not used


def is_on() -> bool:
    """Whether the environment makes every session of this process a local one, whatever the script says."""
    return variable("MODELARTS_MODE").lower() == "local"


def without_credentials(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a session in local mode: those that log in are not used, which is reported once per process."""
    unused = [name for name in _CREDENTIALS if arguments.get(name)]
    named = arguments.get("config_file")
    if isinstance(named, (str, os.PathLike)) and not absolute(named).exists():  # it is on the machine of its author
        unused.append("config_file")
    if unused and not _reported:
        _reported.extend(unused)
        logger.warning(
            "MODELARTS_MODE=local: sessions are on this machine, %s of the script %s not used", ", ".join(unused),
            "is" if len(unused) == 1 else "are",
        )  # fmt: skip
    return {name: value for name, value in arguments.items() if name not in (*_CREDENTIALS, "region_name", *unused)}
