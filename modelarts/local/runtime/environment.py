"""The environment variables of a training process: made from a list, not inherited."""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from modelarts.local.runtime.script_path import SCRIPT_PATH

# What belongs to the machine and its user. All else of the process that started the service stays there.
_SYSTEM = ("HOME", "USER", "LOGNAME", "SHELL", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
_SETTINGS = "MODELARTS_LOCAL_*"  # for a service that a script starts again
_LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")  # the first one that is set counts
_UTF_8 = "C.UTF-8"


@attrs.frozen
class JobEnvironment:
    """Makes the environments of jobs.

    Args:
        home: `MODELARTS_HOME` of the service.
        passed: names of further variables of `starter` that jobs get, with `*` for any characters.
        starter: the environment of the process that started the service.
    """

    home: Path
    passed: Sequence[str] = ()
    starter: Mapping[str, str] = attrs.field(factory=lambda: os.environ, repr=False)

    def of_programs(self) -> dict[str, str]:
        """The variables of every program that runs for a job."""
        found = {name: self.starter[name] for name in _SYSTEM if self.starter.get(name)}
        found.update(PATH=self._path(), LANG=self._locale(), PYTHONIOENCODING="utf-8", PYTHONUTF8="1")
        return {**found, **self._named(self.passed)}

    def of_worker(
        self, folder: Path, directory: Path, python: Path, engine: Mapping[str, str], own: Mapping[str, str]
    ) -> dict[str, str]:
        """The variables of one worker.

        Args:
            folder: its `/home/work`.
            directory: its working directory.
            python: its virtual environment.
            engine: those of the engine and the node.
            own: those that the user gave the job.
        """
        system = self.of_programs()
        if not os.access(system.get("HOME", ""), os.W_OK):  # as for a user without a home, in a container
            system["HOME"] = str(folder)
        return {
            **self._named([_SETTINGS]),
            **system,
            **own,
            **engine,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(directory), system.get("PYTHONPATH"), SCRIPT_PATH))),
            "PYTHONUSERBASE": str(python),  # `pip install --user` stays in the job
            "VIRTUAL_ENV": str(python),
            "MODELARTS_MODE": "local",
            "MODELARTS_HOME": str(self.home),
        }

    def _named(self, patterns: Sequence[str]) -> dict[str, str]:
        return {
            name: value
            for name, value in self.starter.items()
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
        }

    def _path(self) -> str:
        """Where programs are found, without those of the service's own virtual environment."""
        folders = self.starter.get("PATH", os.defpath).split(os.pathsep)
        hidden = str(Path(sys.prefix, "bin")) if sys.prefix != sys.base_prefix else ""
        return os.pathsep.join(folder for folder in folders if folder and folder != hidden)

    def _locale(self) -> str:
        name = next((self.starter[name] for name in _LOCALES if self.starter.get(name)), "")
        return name if name.lower().endswith((".utf-8", ".utf8")) else _UTF_8
