"""The cloud side works without Unix-only modules; `tests/test_portability.py` checks its source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelarts.local.locks import NEEDS_LINUX
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import environment
from tests.support.files import write_json

PROGRAMS = Path(__file__).parent / "programs"

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to find open files")


@needs_proc
@pytest.mark.parametrize("hidden", [True, False], ids=["as on Windows", "as it is"])
def test_the_cloud_side_runs_without_unix_modules(cloud: CloudClient, local: Path, tmp_path: Path, hidden: bool):
    account = cloud.account
    keys = {"access_key": account.access_key, "secret_key": account.secret_key, "project_id": account.project_id}
    (tmp_path / "state").mkdir()
    write_json(tmp_path / "state" / "config.json", profiles={"用户": keys})
    (tmp_path / "state" / "config.json").chmod(0o600)
    settings = {**environment(cloud), "MODELARTS_HOME": str(tmp_path / "state"), "PYTHONUTF8": "0",
                "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}  # fmt: skip
    warnings = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning"] if sys.version_info >= (3, 10) else []
    program = [str(PROGRAMS / "as_on_windows.py")] if hidden else []
    command = [sys.executable, *warnings, *program, str(PROGRAMS / "cloud_half.py"), f"system-{hidden:d}", "用户"]

    done = subprocess.run(command, cwd=local, env={**os.environ, **settings}, capture_output=True, encoding="utf-8")

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")


def on_windows(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(PROGRAMS / "as_on_windows.py"), str(PROGRAMS / "command.py")]
    settings = {**os.environ, "MODELARTS_HOME": str(home), "MODELARTS_LANG": "en", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([*program, *arguments], env=settings, capture_output=True, encoding="utf-8", check=False)


@needs_proc
@pytest.mark.parametrize("arguments", [["--help"], ["config", "show"]])
def test_commands_for_the_cloud_run_without_unix_modules(tmp_path: Path, arguments: list[str]):
    done = on_windows(tmp_path / "state", *arguments)

    assert (done.returncode, done.stderr) == (0, "")


@needs_proc
@pytest.mark.parametrize("arguments", [
    ["status"], ["start"], ["stop"], ["dataset", "list"], ["dataset", "add", "a", "b", "."],
])  # fmt: skip
def test_commands_of_the_local_service_say_that_it_needs_linux(tmp_path: Path, arguments: list[str]):
    done = on_windows(tmp_path / "state", "local", *arguments)

    assert done.returncode == 1
    assert done.stderr == f"modelarts: {NEEDS_LINUX}\n"
    assert not (tmp_path / "state").exists()
