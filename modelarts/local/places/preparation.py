"""The files that the workers of a version need before they start: code, folders, scripts and Python.

Standard library only, since the supervisor uses it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Sequence
from typing import Any, Callable

from modelarts.local import files
from modelarts.local.places import boot_file
from modelarts.local.places.isolation import Node
from modelarts.local.places.start_failure import StartFailure
from modelarts.local.places.worker_log import Log
from modelarts.local.processes import Process

CODE_MISSING = 127  # the platform's return code for a code directory that cannot be fetched


class Preparation:
    """Creates them: some of each worker while its node is opened, the others when all nodes are open.

    Args:
        spec: of the version.
        logs: one for each worker.
        nodes: one for each worker; they may be opened later.
        in_containers: whether workers start containers, which have a Python of their own.
    """

    def __init__(self, spec: dict[str, Any], logs: list[Log], nodes: Sequence[Node], in_containers: bool) -> None:
        self._spec = spec
        self._logs = logs
        self._nodes = nodes
        self._in_containers = in_containers
        self._has_python = "python" in spec and not in_containers

    def begin(self, worker: dict[str, Any]) -> None:
        """Create files of one worker, while its node is opened. What fails is left to `complete`."""
        with contextlib.suppress(OSError, ValueError):
            if not self._spec["fault"]:
                self._copy_code(worker)
                if self._has_python:
                    from modelarts.local.places import packages

                    packages.begin(self._spec, worker)

    def complete(self, stopped: threading.Event, record: Callable[[Process], None]) -> None:
        """Create the files that are still missing.

        Args:
            stopped: whether the user has stopped the version.
            record: called with a process that works for the version meanwhile.

        Raises:
            StartFailure: something that the job needs is missing, or cannot be created.
        """
        spec = self._spec
        if spec["fault"]:
            raise StartFailure(spec["fault"])
        self._check_sources()
        try:
            for path in spec["outputs"]:
                files.make_folders(path)
            for worker in spec["workers"]:
                self._copy_code(worker)
            self._provide_scripts()
        except (OSError, ValueError) as error:
            raise StartFailure(f"the job's folders cannot be created: {error}") from None
        if self._has_python:
            from modelarts.local.places import packages

            spec["visible"] = packages.prepare(spec, self._logs, stopped, record)

    def _check_sources(self) -> None:
        code, data = self._spec["code"], self._spec["input"]
        if code is not None and not os.path.isdir(code["source"]):
            next_step = "session.obs.upload_dir uploads code; a local code_dir is uploaded by itself"
            raise StartFailure(f"the code directory {code['url']} does not exist; {next_step}", CODE_MISSING)
        if data is not None and not os.path.exists(data["path"]):
            next_step = "session.obs.upload_dir uploads data; local inputs are uploaded by themselves"
            raise StartFailure(f"the input data {data['url']} do not exist; {next_step}")

    def _copy_code(self, worker: dict[str, Any]) -> None:
        if worker.get("has_code"):
            return
        os.makedirs(worker["directory"], exist_ok=True)
        if self._spec["code"] is not None:
            target = os.path.join(worker["directory"], self._spec["code"]["name"])
            shutil.copytree(self._spec["code"]["source"], target, dirs_exist_ok=True, ignore=files.no_content)
        worker["has_code"] = True

    def _provide_scripts(self) -> None:
        for log, node, worker in zip(self._logs, self._nodes, self._spec["workers"]):
            boot_file.prepare(worker, log.note)
            if "image" in self._spec:
                from modelarts.local.places import images

                images.provide(self._spec["image"], worker, node.level.tree or self._in_containers, log.note)
