"""A fixture: an S3 server in a process of its own, which all tests of a process share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_PROGRAM = str(Path(__file__).with_name("moto_process.py"))


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    """The port of an S3 server."""
    pytest.importorskip("moto", reason="there is none beside urllib3 2.0 where Python is older than 3.10")
    command = [sys.executable, "-W", "ignore", _PROGRAM]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        yield int(process.stdout.readline())
        process.stdin.close()
