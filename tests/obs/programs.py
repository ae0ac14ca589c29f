"""Programs in processes of their own: forks of one that has imported the buckets, which takes a fifth of a second."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

from modelarts.local.processes import Process
from tests.support.jobs import until
from tests.support.left_processes import SHARED

_FORKS = """
import json, os, signal, socket, sys, traceback
from pathlib import Path
from modelarts._auth.signing import AkSkAuth
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local import copies
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.errors import ObsError

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
tests = socket.socket(fileno=0)
while True:
    message, outputs, _, _ = socket.recv_fds(tests, 1 << 17, 1)
    if not message:
        break
    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            program, folder = json.loads(message)
            os.chdir(folder)
            os.dup2(outputs[0], 1), os.dup2(outputs[0], 2)
            os.close(outputs[0]), tests.close()
            exec(program)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.close(outputs[0])
    tests.send(str(pid).encode())
"""


class Program:
    """A program that runs."""

    def __init__(self, process: Process, output: socket.socket) -> None:
        self.process = process
        self._output = output

    def is_running(self) -> bool:
        return self.process.is_running()

    def end(self, how: int = signal.SIGKILL) -> str:
        """Send it a signal, and return what it wrote."""
        self.process.signal(how)
        return self.output()

    def output(self) -> str:
        """Wait for its end, and return what it wrote: a traceback if it failed."""
        with self._output, self._output.makefile(encoding="utf-8") as written:
            text = written.read()
        until(lambda: not self.process.exists())
        return text


class Programs:
    """Starts programs; they use the names that are imported above."""

    def __init__(self) -> None:
        self._forks, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen([sys.executable, "-c", _FORKS], stdin=theirs)
        SHARED.add(self._process.pid)

    def start(self, text: str, folder: Path) -> Program:
        output, theirs = socket.socketpair()
        output.settimeout(30)
        with theirs:
            socket.send_fds(self._forks, [json.dumps([textwrap.dedent(text), str(folder)]).encode()], [theirs.fileno()])
        return Program(Process.of(int(self._forks.recv(20))), output)

    def close(self) -> None:
        self._forks.close()
        self._process.wait(30)
