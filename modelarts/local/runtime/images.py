"""Custom images, as a part of the spec of a version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelarts.local.paths import JobPaths, LocalHome
from modelarts.local.runtime.script_path import SCRIPT_PATH

HOST, REFUSE = "host", "refuse"  # values of the setting `local_images`
RUN_TRAIN = Path(__file__).with_name("run_train.sh")
_PACKAGE = Path(__file__).parents[2]


def command(body: Mapping[str, Any]) -> str:
    """The command of an image; Windows line ends, which a form may have sent, are line ends."""
    return str(body["user_command"]).replace("\r\n", "\n")


def members(
    body: Mapping[str, Any], resource_id: str, home: LocalHome, paths: JobPaths, policy: str
) -> dict[str, Any]:
    """What a place needs to know to run an image; empty if a version has none."""
    if not body["user_command"]:
        return {}
    image = {
        "url": body["user_image_url"],
        "command": command(body),
        "name": f"modelarts-{resource_id}",
        "policy": policy,
        "run_train": str(RUN_TRAIN),
        "writable": [str(home.buckets)],
        "readable": [str(_PACKAGE), str(paths.session.parent)],  # for moxing, and for `Session()`
        "path": [SCRIPT_PATH],
        "memory": str(home.container_engine),
        "containers": str(paths.containers),
    }
    return {"image": image}
