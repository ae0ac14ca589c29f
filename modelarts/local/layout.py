"""The tree of a node: what a training process finds as `/`.

A spec is written before it is known whether a node can have a tree of its own. It names paths of the tree below `ROOT`,
which the supervisor then replaces: by nothing, or else by the folder that holds the tree. It chooses ports, too.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

ROOT = "@modelarts-tree@"  # no character that a shell would need quotes for
WORK = f"{ROOT}/home/work"
JOB_DIR = f"{WORK}/user-job-dir"  # the working directory
CACHE = f"{ROOT}/cache"
TMP = f"{ROOT}/tmp"
MA_USER = f"{ROOT}/home/ma-user"


def port(number: int) -> str:
    """What stands for a port of the version in a spec, until the supervisor chooses one. They are numbered from 0."""
    return f"__modelarts_port_{number}__"


def count_ports(text: str) -> int:
    """How many ports a spec needs, from its JSON."""
    return next(number for number in itertools.count() if port(number) not in text)


def with_ports(text: str, ports: Sequence[int]) -> str:
    """The JSON of a spec with ports in place of what stands for them."""
    for number, chosen in enumerate(ports):
        text = text.replace(port(number), str(chosen))
    return text


def placed(value: Any, root: str) -> Any:
    """Texts, lists and dicts with `ROOT` replaced: by an empty text inside the tree, by its folder outside."""
    if isinstance(value, str):
        return value.replace(ROOT, root)
    if isinstance(value, list):
        return [placed(item, root) for item in value]
    if isinstance(value, dict):
        return {key: placed(item, root) for key, item in value.items()}
    return value


def is_below(path: str, folder: str) -> bool:
    """Whether a path is inside a folder, and not the folder itself."""
    return path != folder and path.startswith(folder.rstrip("/") + "/")
