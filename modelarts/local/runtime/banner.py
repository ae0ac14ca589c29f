"""The first lines of a log: who runs what and where, as the platform writes them, and what only this service says."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
from collections.abc import Iterable, Sequence
from typing import Callable

import attrs

from modelarts._obs.paths import ObsPath
from modelarts.local.runtime import secrets
from modelarts.local.runtime.log_lines import LOCAL_LOG, SERVICE_LOG


@attrs.frozen
class Banner:
    """What the first lines of a log say."""

    home_work: str  # `/home/work` as the worker sees it
    app_url: str  # `/bucket/folder/`, or empty
    boot_file: str  # `folder/train.py`, relative to the working directory; empty if a command or an algorithm runs
    job_name: str
    command: str
    notes: Sequence[str] = ()  # lines that only this service writes

    def text(self) -> str:
        """The lines, in the order of the platform."""
        code = ObsPath.parse(self.app_url) if self.app_url else None
        lines = {
            "user": _user(),
            "pwd": self.home_work,
            "app_url": code.s3 if code else "",
            "boot_file": self.boot_file,
            "log_url": f"/tmp/log/{self.job_name}.log",
            "command": secrets.hide(self.command),
            "dependencies_file_dir": f"{self.home_work}/user-job-dir/{code.name}" if code else "",
        }
        platform = [f"{SERVICE_LOG}{name}: {value}\n" for name, value in lines.items()]
        return "".join([*platform, *(f"{LOCAL_LOG}{note}\n" for note in self.notes)])


def command_line(program: str, arguments: Iterable[tuple[str, str]]) -> str:
    """A command as the platform writes it: `folder/train.py --data_url=s3://bucket/data/ --flag=''`."""
    options = (
        f"--{name}={secrets.HIDDEN if secrets.is_secret(name) else shlex.quote(value)}" for name, value in arguments
    )
    return " ".join([shlex.quote(program), *options])


def _user() -> str:
    """The user and groups of this process, as `id` prints them."""
    groups = ",".join(_named(number, _group) for number in sorted({os.getgid(), *os.getgroups()}))
    return f"uid={_named(os.getuid(), _login)} gid={_named(os.getgid(), _group)} groups={groups}"


def _named(number: int, name: Callable[[int], str]) -> str:
    try:
        return f"{number}({name(number)})"
    except KeyError:  # an id without a name
        return str(number)


def _login(number: int) -> str:
    return pwd.getpwuid(number).pw_name


def _group(number: int) -> str:
    return grp.getgrgid(number).gr_name
