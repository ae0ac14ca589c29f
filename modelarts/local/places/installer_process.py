"""Runs a program that installs packages for a job: its output is in the logs, and it ends when the job is stopped.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from threading import Event
from typing import Callable, NamedTuple

from modelarts.local.environments import Cancelled
from modelarts.local.places import reaper
from modelarts.local.places.worker_log import Log
from modelarts.local.processes import PATIENCE, Process
from modelarts.local.runtime import secrets

_INTERVAL = 0.2  # seconds between looks for a stop
_POLL = 0.005  # seconds between looks for the end of a program that has closed its output
_KEPT = 65536  # bytes of the output in which the reason of a failure is looked for


class Progress(NamedTuple):
    """What an installation needs of the supervisor."""

    logs: list[Log]
    stopped: Event
    record: Callable[[Process], None]  # notes a process that must end if the supervisor is killed

    def note(self, text: str) -> None:
        for log in self.logs:
            log.note(text)


class Ended(NamedTuple):
    """How a program ended."""

    code: int
    output: str  # the end of what it wrote

    @property
    def reason(self) -> str:
        """The last error that it reported, or the last line that it wrote."""
        from modelarts.local.places import pip_words  # only failures need it

        return pip_words.reason_of(self.output) or f"exit code {self.code}"


def run(command: Sequence[str], variables: Mapping[str, str], folder: str, progress: Progress) -> Ended:
    """Run a program in a folder.

    Raises:
        Cancelled: the job was stopped meanwhile.
        OSError: it cannot be started.
    """
    process = subprocess.Popen(
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=reaper.become(),
    )  # fmt: skip
    running = Process.of(process.pid)
    progress.record(running)
    tail = b""
    try:
        for lines in _whole_lines(_output(process, progress.stopped)):
            data = secrets.hide_logins(lines)
            tail = (tail + data)[-_KEPT:]
            for log in progress.logs:
                log.write(data)
    finally:
        running.signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            running.signal_group(signal.SIGKILL)
            process.wait()
    return Ended(process.returncode, tail.decode("utf-8", "replace"))


def _whole_lines(output: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for data in output:
        end = (rest + data).rfind(b"\n") + 1
        lines, rest = (rest + data)[:end], (rest + data)[end:]
        if len(rest) > _KEPT:
            lines, rest = lines + rest, b""
        if lines:
            yield lines
    if rest:
        yield rest


def _output(process: subprocess.Popen[bytes], stopped: Event) -> Iterator[bytes]:
    """What it writes, until it has ended. Raises `Cancelled` if the job is stopped."""
    assert process.stdout is not None
    with process.stdout as pipe:
        while True:
            if stopped.is_set():
                raise Cancelled
            ended = process.poll() is not None
            if select.select([pipe], [], [], 0 if ended else _INTERVAL)[0]:
                data = os.read(pipe.fileno(), 65536)
                if not data:
                    break
                yield data
            elif ended:  # a process that it left behind holds the pipe
                return
    while process.poll() is None:  # it has closed its output
        if stopped.wait(_POLL):
            raise Cancelled
