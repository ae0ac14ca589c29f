"""The tests run in several processes, and the result is that of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import os

import pytest


@pytest.mark.skip(reason="of this")
def test_that_is_skipped():
    pass


def test_that_fails():
    print("printed before")
    assert "one" == "two"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    yield tmp_path_factory.mktemp("session")
    print("the session has ended")


@pytest.mark.parametrize("number", range(40))
def test_that_passes(number, folder):
    (folder.parents[1] / f"{number} in {os.getpid()}").write_text(folder.name)


def test_that_ends_its_process():
    os._exit(3)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "test_program.py").write_text(PROGRAM)
    command = [
        sys.executable, "-m", "pytest", "-p", "tests.support.left_processes", "-p", "tests.support.workers", "-ra",
        "-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "--basetemp", "base", "--workers=3",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    return folder, done


def test_each_test_runs_once_in_one_of_the_processes(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = run
    number, pid = zip(*(path.name.split(" in ") for path in (folder / "base").glob("* in *")))

    assert len(set(number)) == len(number) >= 39, (
        done.stdout + done.stderr
    )  # one may have waited for a worker that ended
    assert 1 < len(set(pid)) <= 3


def test_failures_crashes_and_skips_are_reported(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, done = run

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "printed before" in done.stdout and "assert 'one' == 'two'" in done.stdout
    assert "the worker ended while it ran this test; results of tests before it may be missing" in done.stdout
    assert "SKIPPED [1] test_program.py" in done.stdout and "of this" in done.stdout
    assert done.stdout.count("FAILED test_program.py") == 2 + done.stdout.count("did not run, since its worker ended")
