"""The cloud side works on systems that lack what only Unix has; `tests/test_portability.py` reads its source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.cloud import environment
from tests.emulator.signing import Caller
from tests.support.files import write_json

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are found in /proc")
@pytest.mark.parametrize("hidden", [True, False], ids=["as on Windows", "as it is"])
def test_the_cloud_side_runs_without_what_only_unix_has(caller: Caller, local: Path, tmp_path: Path, hidden: bool):
    account = caller.account
    keys = {"access_key": account.access_key, "secret_key": account.secret_key, "project_id": account.project_id}
    (tmp_path / "state").mkdir()
    write_json(tmp_path / "state" / "config.json", profiles={"用户": keys})
    (tmp_path / "state" / "config.json").chmod(0o600)
    settings = {**environment(caller), "MODELARTS_HOME": str(tmp_path / "state"), "PYTHONUTF8": "0",
                "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}  # fmt: skip
    warnings = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning"] if sys.version_info >= (3, 10) else []
    program = [str(PROGRAMS / "as_on_windows.py")] if hidden else []
    command = [sys.executable, *warnings, *program, str(PROGRAMS / "cloud_half.py"), f"system-{hidden:d}", "用户"]

    done = subprocess.run(command, cwd=local, env={**os.environ, **settings}, capture_output=True, encoding="utf-8")

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")
