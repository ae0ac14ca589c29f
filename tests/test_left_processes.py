"""The guard of the test run itself: what a test leaves running fails the run, and is killed."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import attrs
import pytest

from tests.support.left_processes import MARK

ROOT = Path(__file__).parents[1]
HASTY = """
from tests.support import left_processes

left_processes.PATIENCE = 0.5
"""
LEAVES_A_JOB = (
    HASTY
    + """
from modelarts.session import Session
from tests.support.jobs import estimator, put_code, until


def test_that_leaves_nothing():
    pass


def test_that_leaves_a_job(tmp_path):
    session = Session.local(tmp_path / "state")
    session.obs.create_bucket("bucket")
    put_code(session, tmp_path, "import time; time.sleep(600)")
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: job.get_job_info().status == 8)
    assert OUTCOME
"""
)
LEAVES_CHILDREN = (
    HASTY
    + """
import subprocess

import pytest


@pytest.fixture(scope="module", autouse=True)
def shared():
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_that_leaves_a_child(shared):
    subprocess.Popen(["sleep", "601"]).returncode = 0
    assert False


def test_after_it(shared):
    assert shared.poll() is None
"""
)
LEAVES_NOTHING = """
import subprocess


def test_that_ends_what_it_starts():
    process = subprocess.Popen(["sleep", "600"])
    process.kill()
    process.wait()


def test_whose_process_ends_by_itself():
    subprocess.Popen(["sleep", "0.3"]).returncode = 0
"""


@attrs.frozen
class Run:
    """A run of pytest that has ended."""

    returncode: int
    stdout: str


def run(tmp_path: Path, program: str, *options: str) -> Run:
    """Run a test module with the guard, in a fork of this process, which has imported pytest."""
    (tmp_path / "test_program.py").write_text(program)
    arguments = [
        "-p", "tests.support.left_processes", "-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider",
        "--basetemp", "folder of the run", *options,
    ]  # fmt: skip
    output = tmp_path / "output"
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = _run_here(tmp_path, arguments, output)
        finally:
            os._exit(code)
    return Run(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.read_text())


def _run_here(folder: Path, arguments: list[str], output: Path) -> int:
    """In the fork: without anything of this run."""
    with output.open("w", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout = sys.stderr = file
        os.chdir(folder)
        for name in [name for name in os.environ if name.startswith(("PYTEST_", MARK))]:
            del os.environ[name]
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # importing them takes a while
        os.environ["PYTHONPATH"] = str(ROOT)
        return int(pytest.main(arguments))


def is_running(pid: str) -> bool:
    try:
        state = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.usefixtures("new_interpreter")
@pytest.mark.parametrize(
    ("passes", "options"), [(True, ["-p", "xdist", "-n", "2"]), (False, [])],
    ids=["it passes, with xdist", "it fails, one process"],
)  # fmt: skip
def test_a_test_that_leaves_a_job_is_named_and_what_it_left_is_killed(
    tmp_path: Path, passes: bool, options: list[str]
) -> None:
    done = run(tmp_path, LEAVES_A_JOB.replace("OUTCOME", str(passes)), *options)

    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert ("2 passed" if passes else "1 failed, 1 passed") in done.stdout
    left = re.findall(r"^(\S+) left process (\d+): (.*)$", done.stdout, re.MULTILINE)
    assert {test for test, _, _ in left} == {"test_program.py::test_that_leaves_a_job"}
    for program in ("modelarts.local.server", "fork_server.py"):  # the script ends with the latter, at the latest
        assert any(program in command for _, _, command in left)
    assert not any(is_running(pid) for _, pid, _ in left)


def test_a_child_of_a_test_is_killed_and_that_of_a_fixture_is_not(tmp_path: Path) -> None:
    done = run(tmp_path, LEAVES_CHILDREN)

    assert "1 failed, 1 passed" in done.stdout, done.stdout
    ((test, pid, command),) = re.findall(r"^(\S+) left process (\d+): (.*)$", done.stdout, re.MULTILINE)
    assert (test, command) == ("test_program.py::test_that_leaves_a_child", "sleep 601")
    assert not is_running(pid)


def test_a_run_that_leaves_nothing_is_a_success(tmp_path: Path) -> None:
    done = run(tmp_path, LEAVES_NOTHING)

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "left running" not in done.stdout
