"""`pip-requirements.txt` is installed before a job starts, once for all jobs that require the same."""

from __future__ import annotations

import json
import signal
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.job import TrainingJob
from modelarts.local.environments import EnvironmentCache
from modelarts.local.paths import LocalHome, read_json
from modelarts.local.processes import Process
from modelarts.session import Session
from tests.support.jobs import estimator, until
from tests.support.processes import end_service
from tests.support.wheels import wheel

USES = """
import os, subprocess, sys
import needed
print("NEEDED", needed.VERSION, needed.__file__)
os.system("needed-program")
"""


# pip then neither compiles what it installs nor compares it with all that is installed, which takes half of its time.
QUICK_PIP = {"PIP_NO_COMPILE": "1", "PIP_NO_WARN_CONFLICTS": "1"}


@contextmanager
def service(home: Path) -> Iterator[Session]:
    """A session on a service of its own, which has the variables that are set now."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in QUICK_PIP.items():
                patch.setenv(name, value)
            opened = Session.local(home)
        with opened:
            opened.obs.create_bucket("bucket")
            opened.create_directory("bucket", "/data/")
            yield opened
    finally:
        end_service(home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


SLOW_PIP = """\
import subprocess, time
print("pip has started", flush=True)
subprocess.Popen(["sleep", "60"])
time.sleep(60)
"""
LAUNCH = """#!{python}
import sys, needed
print('LAUNCHED', sys.executable)
"""
SLOW = {"framework_type": "MXNet", "framework_version": "MXNet-1.2.1-python3.6"}
LAUNCHER = {"framework_type": "Scikit_Learn", "framework_version": "Scikit_Learn-0.18.1-python3.6"}


def engines(folder: Path) -> dict[str, str]:
    """Interpreters without a pip of their own: one has a pip that takes its time, the other one a program."""
    for name in ("slow", "launcher"):
        venv.create(folder / name, with_pip=False, symlinks=True)
    (packages,) = folder.glob("slow/lib/*/site-packages")
    (packages / "pip").mkdir()
    (packages / "pip" / "__init__.py").touch()
    (packages / "pip" / "__main__.py").write_text(SLOW_PIP)
    program = folder / "launcher" / "bin" / "launch"
    program.write_text(LAUNCH.format(python=folder / "launcher" / "bin" / "python"))
    program.chmod(0o755)
    used = {SLOW["framework_type"]: "slow", LAUNCHER["framework_type"]: "launcher"}
    return {framework: str(folder / name / "bin" / "python") for framework, name in used.items()}


@pytest.fixture(scope="module")
def session(home, tmp_path_factory):
    """A session on a service that was started with a configuration of pip, and without uv."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("user")))
        patch.setenv("PATH", "/usr/bin:/bin")
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_TARGET", "/nowhere")  # none that would have packages installed elsewhere
        patch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps(engines(tmp_path_factory.mktemp("engines"))))
        with service(home) as opened:
            yield opened


@pytest.fixture(scope="module")
def run(session, home):
    """Runs the code in a folder; returns the status and the log."""

    def ended(code: Path, **changes):
        job = estimator(session, code_dir=code, **changes).fit(inputs="/bucket/data/")
        info = until(lambda: (found := job.get_job_info()).status >= 10 and found, 120)
        return info, job_log(home, job)

    return ended


def job_log(home: Path, job: TrainingJob) -> str:
    return LocalHome.of(home).job(job.version_id).log(0).read_text(encoding="utf-8")


def command(*arguments: str) -> str:
    """What `modelarts local …` prints."""
    result = CliRunner().invoke(cli, ["local", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def code_with(folder: Path, requirements: bytes, version: str = "1.0") -> Path:
    folder.mkdir()
    (folder / "train.py").write_text(USES)
    (folder / "pip-requirements.txt").write_bytes(requirements)
    wheel(folder, "needed", version, program=True)
    return folder


@pytest.fixture(scope="module")
def log_on_an_engine(run, tmp_path_factory):
    """The log of a job whose file names a folder of wheels and another file, in UTF-16."""
    code = code_with(
        tmp_path_factory.mktemp("forms") / "code", "--find-links .\r\n-r more/all.txt\r\n".encode("utf-16")
    )
    (code / "more").mkdir()
    (code / "more" / "all.txt").write_bytes(b"# we need\r\n\r\nneeded >= 1.0\r\n")
    (code / "train.py").write_text(USES + "print('SCRIPT', sys.executable, flush=True)\nos.system('launch')\n")
    info, log = run(code, **LAUNCHER)
    assert info.status == 10, log
    return log


def test_requirements_are_there_in_the_forms_that_users_write(log_on_an_engine):
    """Another one is below, where uv fails."""
    assert "NEEDED 1.0" in log_on_an_engine
    assert "needed 1.0 runs" in log_on_an_engine


def test_programs_of_an_engine_run_with_the_packages_of_the_job(log_on_an_engine):
    """As `torchrun` does, which names the interpreter that it was installed with."""
    _, _, script = log_on_an_engine.partition("SCRIPT ")
    _, _, launched = log_on_an_engine.partition("LAUNCHED ")

    assert script.split()[0] == launched.split()[0]


WRONG = {
    "# 依赖\nneeded".encode("gbk"): "line 1 of pip-requirements.txt is not utf-8 text; save it as UTF-8",
    b"-r nowhere.txt": "ERROR: Could not open requirements file: [Errno 2] No such file or directory:",
    b"<!DOCTYPE html>\n<html>": "ERROR: Invalid requirement: '<!DOCTYPE html>'",
}


@pytest.mark.parametrize("content", WRONG, ids=["GBK", "missing file", "web page"])
def test_what_is_wrong_with_a_file_is_the_reason_of_the_failure(run, tmp_path, content):
    info, _ = run(code_with(tmp_path / "code", content))

    assert info.status == 11
    assert info.error_result.startswith(f"pip-requirements.txt cannot be installed: {WRONG[content]}")


def test_what_cannot_be_installed_ends_the_job_with_the_words_of_pip(run, tmp_path, home):
    code = code_with(tmp_path / "code", b"needed==9.9\n")
    before = [one.key for one in EnvironmentCache(str(LocalHome.of(home).packages)).environments()]

    info, log = run(code)

    assert info.status == 11
    assert info.error_result.startswith("pip-requirements.txt cannot be installed: ERROR: No matching distribution")
    assert "ERROR: Could not find a version that satisfies the requirement needed==9.9" in log
    assert "Training end with return code: 1" in log
    assert [one.key for one in EnvironmentCache(str(LocalHome.of(home).packages)).environments()] == before


@pytest.fixture
def installing(session, home, tmp_path):
    """A job whose packages are being installed."""
    code = code_with(tmp_path / "code", b"./needed-1.0-py3-none-any.whl")
    job = estimator(session, code_dir=code, **SLOW).fit(inputs="/bucket/data/")
    folder = LocalHome.of(home).job(job.version_id)
    until(lambda: folder.log(0).exists() and "pip has started" in folder.log(0).read_text())
    return job, folder


def test_a_job_is_stopped_while_its_packages_are_installed(installing):
    job, folder = installing
    (installer,) = read_json(folder.workers)

    job.stop_job_version()

    until(lambda: job.get_job_info().status == 12)
    until(lambda: not Process(**installer).is_running())
    assert not folder.python(0).exists()


def test_an_installation_ends_with_its_supervisor(installing):
    job, folder = installing
    (installer,) = read_json(folder.workers)

    Process(**read_json(folder.supervisor)).signal(signal.SIGKILL)

    until(lambda: job.get_job_info().status == 14)
    until(lambda: not Process(**installer).is_running())


FAKE_UV = """\
#!/bin/sh
echo "uv $*"
echo "index $UV_DEFAULT_INDEX, links $UV_FIND_LINKS, constraint $UV_CONSTRAINT, none $UV_NO_INDEX"
grep -q 6.0 "$8" && echo "error: uv does not like it" && exit 2
exec "$4" -c 'import re, sys, sysconfig, zipfile
wheel = re.search(r"^(./)?needed.*", open(sys.argv[1]).read(), re.MULTILINE)[0]
zipfile.ZipFile(wheel).extractall(sysconfig.get_path("purelib"))' "$8"
"""


@pytest.fixture(scope="module")
def with_uv(tmp_path_factory):
    """A session on a service that finds uv, which cannot install version 6.0, and the service's home."""
    folder = tmp_path_factory.mktemp("uv")
    uv = folder / "uv"
    uv.write_text(FAKE_UV)
    uv.chmod(0o755)
    (folder / "pip.conf").write_text("[global]\nindex-url = http://mirror.invalid\nfind-links =\n  /a\n  /b\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        patch.setenv("PIP_CONFIG_FILE", str(folder / "pip.conf"))
        patch.setenv("PIP_NO_INDEX", "1")
        patch.delenv("PIP_FIND_LINKS", raising=False)
        with service(folder / "state") as own:
            yield own, folder / "state"


def log_with_uv(with_uv, code: Path) -> str:
    session, home = with_uv
    job = estimator(session, code_dir=code).fit(inputs="/bucket/data/")
    assert job.wait(timeout=120, show=False).status == 10
    return job_log(home, job)


# The one that uv does not install: GBK with a coding line, a wheel, no final newline.
BY_UV, BY_PIP = (
    b"./needed-1.0-py3-none-any.whl",
    "# coding: gbk, 依赖\n\n./needed-6.0-py3-none-any.whl  # a wheel".encode("gbk"),
)


@pytest.mark.parametrize(("version", "form"), [("1.0", BY_UV), ("6.0", BY_PIP)], ids=["uv", "pip"])
def test_uv_is_used_where_it_is_there_and_pip_if_it_fails(with_uv, tmp_path, version, form):
    log = log_with_uv(with_uv, code_with(tmp_path / "code", form, version))

    assert "index http://mirror.invalid, links /a,/b, constraint" in log and ", none 1\n" in log
    assert f"NEEDED {version}" in log
    assert ("error: uv does not like it" in log) == ("is installed with pip" in log) == (form == BY_PIP)
    assert ("needed 6.0 runs" in log) == (form == BY_PIP)  # the uv of this test makes no programs


def test_the_same_requirements_are_installed_once_and_others_anew(with_uv, tmp_path):
    session, home = with_uv
    form = b"needed-2.0-py3-none-any.whl"
    codes = [code_with(tmp_path / name, form, "2.0") for name in ("first", "same", "changed")]
    wheel(codes[2], "needed", "2.0", requires="pip")  # the content of the wheel is another one

    jobs = [estimator(session, code_dir=codes[0]).fit(inputs="/bucket/data/") for _ in range(2)]
    assert [job.wait(timeout=120, show=False).status for job in jobs] == [10, 10]
    together = [job_log(home, job) for job in jobs]
    same, other = (log_with_uv(with_uv, code) for code in codes[1:])

    assert sum("is installed with uv" in log for log in together) == 1
    assert "is installed with" not in same and "has its packages" in same
    assert "is installed with uv" in other
    assert all("NEEDED 2.0" in log for log in (*together, same, other))


WAITS = """
import os, time
import needed
print("needed is there", flush=True)
while not os.path.exists({gate!r}):
    time.sleep(0.05)
"""


def test_a_command_lists_environments_and_removes_those_that_no_job_uses(with_uv, tmp_path, monkeypatch):
    session, home = with_uv
    gate = LocalHome.of(home).buckets / "bucket" / "gate"
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    other = "other @ https://me:secret@example.invalid/other-1.0-py3-none-any.whl ; python_version < '3'"
    requirements = f"# the newest\n./needed-4.0-py3-none-any.whl\n{other}\n"
    code = code_with(tmp_path / "code", requirements.encode(), "4.0")
    (code / "train.py").write_text(WAITS.format(gate=str(gate)))
    job = estimator(session, code_dir=code).fit(inputs="/bucket/data/")
    log = LocalHome.of(home).job(job.version_id).log(0)
    until(lambda: log.exists() and "needed is there" in log.read_text(), 60)

    listed = command("environments").splitlines()
    cleared = command("environments", "--clear")
    gate.touch()
    job.wait(timeout=60, show=False)
    until(lambda: "in use" not in command("environments"))

    (row,) = (line.split("\t") for line in listed if "needed-4.0" in line)
    assert row[2:4] == ["in use", sys.executable]
    assert row[4].startswith("./needed-4.0-py3-none-any.whl, other @ https://****@example.invalid/other-1.0")
    assert "kB" in row[1] or "MB" in row[1]
    assert "kept" in cleared and "of 1 environment in use by jobs" in cleared
    assert command("environments", "--clear").startswith("freed ")
    assert command("environments").startswith("no packages are installed for jobs")
