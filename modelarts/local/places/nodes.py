"""The nodes of a version: each gets its tree before anything else, since paths in the spec depend on it.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import Any, Callable

from modelarts.local.layout import TMP, placed
from modelarts.local.places import isolation
from modelarts.local.places.start_failure import StartFailure
from modelarts.local.places.tree import Tree
from modelarts.local.places.worker_log import Log

_PLACED = ("argv", "environment", "beside", "banner")  # members of a worker with paths of its tree


def open_all(
    spec: dict[str, Any], logs: list[Log], opened: list[isolation.Node], meanwhile: Callable[[dict[str, Any]], None],
    with_remarks: bool = True,
) -> None:  # fmt: skip
    """Open a node for each worker, give the spec the paths that the workers see, and each log its banner.

    Args:
        spec: of the version.
        logs: of the workers.
        opened: nodes are added to it, also if another one cannot be opened.
        meanwhile: called with each worker while its node is opened; it must not raise an exception.
        with_remarks: whether the logs say what is not as on the platform.

    Raises:
        StartFailure: a node cannot be opened.
    """
    problem = ""
    for worker in spec["workers"]:
        worker.setdefault("beside", [])  # of programs that run in the node, too
        problem = problem or _open(worker, spec["tree"], opened, partial(meanwhile, worker))
        _place(worker, is_isolated=not problem and opened[-1].level.tree)
    for log, worker in zip(logs, spec["workers"]):
        log.write(worker["banner"].encode("utf-8", "replace"))
    if problem:
        raise StartFailure(problem)
    for log, node in zip(logs if with_remarks else (), opened):
        for line in isolation.remarks(node, spec["tree"]["isolation"]):
            log.note(line)


def _open(
    worker: dict[str, Any], tree: dict[str, Any], opened: list[isolation.Node], meanwhile: Callable[[], None]
) -> str:
    """Open a node. Returns why that is not possible, or an empty text."""
    own = Tree(worker["root"], tuple(tree["own"]), tree["covered"], tuple(tree["shown"]), tuple(tree["writable"]))
    try:
        for folder in tree.get("created", ()):
            os.makedirs(folder, exist_ok=True)
        for left in filter(os.path.exists, [own.root, worker.get("python", "")]):
            shutil.rmtree(left)  # of an earlier attempt to start this version
        opened.append(isolation.open_node(own, tree["isolation"], meanwhile, 1 + len(worker["beside"])))
    except isolation.IsolationError as error:
        return f"local_isolation is require, and {error}; `modelarts doctor` says how to allow it"
    except OSError as error:
        return f"the job's folders cannot be created: {error}"
    return ""


def _place(worker: dict[str, Any], is_isolated: bool) -> None:
    """Replace the paths of the tree by what they are inside, or by where they are without a tree."""
    if not is_isolated:
        worker["environment"].setdefault("TMPDIR", TMP)
    paths = {name: worker[name] for name in _PLACED}
    worker.update(placed(paths, "" if is_isolated else worker["root"]))
