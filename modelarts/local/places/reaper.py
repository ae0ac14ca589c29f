"""A parent for a program of a job: it ends with all that the program has started, also when the supervisor is killed.

    process = subprocess.Popen(command, start_new_session=True, preexec_fn=reaper.become())
    Process.of(process.pid).signal(signal.SIGTERM)    # ends the program and all its descendants

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import os
import signal
from typing import Callable, NoReturn

from modelarts.local import processes
from modelarts.local.places import namespaces
from modelarts.local.places.init import close_others

_ENDED = 128 + signal.SIGTERM


def become() -> Callable[[], None]:
    """A `preexec_fn`: the new process becomes the parent, and its only child the program."""
    supervisor = os.getpid()

    def fork() -> None:
        namespaces.become_subreaper()
        program = os.fork()
        if program:
            _reap(program, supervisor)

    return fork


def _reap(program: int, supervisor: int) -> NoReturn:
    """Wait for the program, then end all that is left of it, with its exit code; that of a signal is 128 and more."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, _end)
        namespaces.end_with_parent(signal.SIGTERM)
        if os.getppid() != supervisor:
            _end()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):  # whoever reads the output of the program waits until all have closed it
            os.dup2(null, descriptor)
        close_others(())
        ended, status = os.waitpid(-1, 0)
        while ended != program:
            ended, status = os.waitpid(-1, 0)
        code = os.waitstatus_to_exitcode(status)
        processes.end_descendants()
    finally:
        os._exit(code if code >= 0 else 128 - code)


def _end(*_: object) -> NoReturn:
    processes.end_descendants()
    os._exit(_ENDED)
