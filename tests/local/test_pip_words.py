"""The reason of a failed installation: what pip and the programs that it starts say at the end of their output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelarts.local.places.pip_words import reason_of

GIT = """\
  Running command git clone --filter=blob:none --quiet https://localhost:1/x.git /tmp/x
  fatal: unable to access 'https://localhost:1/x.git/': Failed to connect to localhost port 1
  error: subprocess-exited-with-error

  × git clone https://localhost:1/x.git /tmp/x did not run successfully.
  │ exit code: 128
  ╰─> See above for output.

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: subprocess-exited-with-error

× git clone https://localhost:1/x.git /tmp/x did not run successfully.
│ exit code: 128
╰─> See above for output.

note: This error originates from a subprocess, and is likely not a problem with pip.
"""
WHEEL = """\
  error: subprocess-exited-with-error

  × Building wheel for odd (pyproject.toml) did not run successfully.
  │ exit code: 1
  ╰─> [2 lines of output]
      building 'odd'
      error: command 'gcc' failed: No such file or directory
      [end of output]

  ERROR: Failed building wheel for odd
Failed to build odd
"""
CONFLICT = """\
ERROR: Cannot install needed==1.0 and needed==2.0 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested needed==1.0
    The user requested needed==2.0

ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/en/latest/topics/dependency-resolution/
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            GIT,
            "git clone https://localhost:1/x.git /tmp/x did not run successfully: fatal: unable to access "
            "'https://localhost:1/x.git/': Failed to connect to localhost port 1",
        ),
        (
            f"{WHEEL}ERROR: Could not build wheels for odd, which is required\n",
            "ERROR: Could not build wheels for odd, which is required: "
            "error: command 'gcc' failed: No such file or directory",
        ),
        (
            f"{WHEEL}error: failed-wheel-build-for-install\n\n× Failed to build installable wheels for some\n╰─> odd\n",
            "Failed to build installable wheels for some odd: error: command 'gcc' failed: No such file or directory",
        ),
        (CONFLICT, CONFLICT.partition("\n")[0]),
        ("ERROR: ResolutionImpossible: for help visit …\n", "ERROR: ResolutionImpossible: for help visit …"),
        ("ERROR: Exception:\nTraceback …\nOSError: [Errno 28] No space left\n", "OSError: [Errno 28] No space left"),
        ("error: subprocess-exited-with-error\n", "error: subprocess-exited-with-error"),
        ("", ""),
    ],
)
def test_the_reason_says_what_was_wrong(output: str, reason: str) -> None:
    assert reason_of(output) == reason


def test_a_package_that_cannot_be_built_is_named_with_its_exception(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    (tmp_path / "backend.py").write_text("raise RuntimeError('odd needs a compiler')\n")
    options = ("--no-index", "--no-deps", "--no-build-isolation", "--target", str(tmp_path / "target"))
    command = [sys.executable, "-m", "pip", "install", *options, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=os.environ, check=False)

    assert ended.returncode, ended.stdout
    assert "RuntimeError: odd needs a compiler" in reason_of(ended.stdout + ended.stderr)
