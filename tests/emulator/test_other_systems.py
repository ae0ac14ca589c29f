"""The cloud side works without Unix-only modules; `tests/test_portability.py` checks its source."""

from __future__ import annotations

import json
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


@needs_proc
def test_commands_run_without_unix_modules_or_say_that_they_need_linux(tmp_path: Path):
    for_the_cloud = [["--help"], ["config", "show"]]
    of_the_service = [["status"], ["start"], ["stop"], ["dataset", "list"], ["dataset", "add", "a", "b", "."]]
    commands = [*for_the_cloud, *(["local", *arguments] for arguments in of_the_service)]
    program = [sys.executable, str(PROGRAMS / "as_on_windows.py"), str(PROGRAMS / "command.py"), json.dumps(commands)]
    settings = {"MODELARTS_HOME": str(tmp_path / "state"), "MODELARTS_LANG": "en", "PYTHONIOENCODING": "utf-8"}

    done = subprocess.run(program, env={**os.environ, **settings}, capture_output=True, encoding="utf-8", check=True)

    for arguments, (code, output, errors) in zip(commands, json.loads(done.stdout)):
        if arguments in for_the_cloud:
            assert (code, errors) == (0, "") and output, arguments
        else:
            assert (code, errors) == (1, f"modelarts: {NEEDS_LINUX}\n"), arguments
    assert not (tmp_path / "state").exists()
