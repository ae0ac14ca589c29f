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


@pytest.fixture(scope="module")
def session(home, tmp_path_factory):
    """A session on a service that was started with a configuration of pip, and without uv."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("user")))
        patch.setenv("PATH", "/usr/bin:/bin")
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_TARGET", "/nowhere")  # none that would have packages installed elsewhere
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


FORMS = {
    "folder of wheels, another file, in UTF-16": "--find-links .\r\n-r more/requirements.txt\r\n".encode("utf-16"),
    "GBK with a coding line, a wheel, no final newline": (
        "# coding: gbk, 依赖\n\n./needed-1.0-py3-none-any.whl  # a wheel".encode("gbk")
    ),
}


@pytest.mark.parametrize("form", FORMS, ids=list(FORMS))
def test_requirements_are_there_in_all_the_forms_that_users_write(run, tmp_path, form):
    code = code_with(tmp_path / "code", FORMS[form])
    (code / "more").mkdir()
    (code / "more" / "requirements.txt").write_bytes(b"# we need\r\n\r\nneeded >= 1.0\r\n")

    info, log = run(code)

    assert info.status == 10, log
    assert "NEEDED 1.0" in log
    assert "needed 1.0 runs" in log


@pytest.fixture(scope="module")
def started_together(session, home, tmp_path_factory):
    """The logs of two jobs with the same requirements that were started at the same time."""
    code = code_with(tmp_path_factory.mktemp("together") / "code", b"needed-2.0-py3-none-any.whl", "2.0")
    jobs = [estimator(session, code_dir=code).fit(inputs="/bucket/data/") for _ in range(2)]
    assert [job.wait(timeout=120, show=False).status for job in jobs] == [10, 10]
    return [job_log(home, job) for job in jobs]


def test_jobs_that_start_together_install_once(started_together):
    assert sum("is installed with pip" in log for log in started_together) == 1
    assert all("NEEDED 2.0" in log for log in started_together)


def test_the_same_requirements_are_installed_once_and_others_anew(started_together, run, tmp_path):
    same = run(code_with(tmp_path / "same", b"needed-2.0-py3-none-any.whl", "2.0"))[1]
    changed = code_with(tmp_path / "changed", b"needed-2.0-py3-none-any.whl", "2.0")
    wheel(changed, "needed", "2.0", requires="pip")  # the content of the wheel is another one
    other = run(changed)[1]

    assert "is installed with" not in same and "has its packages" in same
    assert "is installed with pip" in other
    assert all("NEEDED 2.0" in log for log in (same, other))


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


WAITS = """
import os, time
import needed
print("needed is there", flush=True)
while not os.path.exists({gate!r}):
    time.sleep(0.05)
"""


def test_a_command_lists_environments_and_removes_those_that_no_job_uses(session, home, tmp_path, monkeypatch):
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


SLOW_PIP = """\
import os, subprocess, sys, time
open({started!r}, "w").close()
subprocess.Popen(["sleep", "60"])
time.sleep(60)
"""


def slow_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter with a pip that takes its time; gives the file that shows that pip has started."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "pip").mkdir()
    (packages / "pip" / "__init__.py").touch()
    (packages / "pip" / "__main__.py").write_text(SLOW_PIP.format(started=str(folder / "started")))
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"PyTorch": str(folder / "bin" / "python")}))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return folder / "started"


@pytest.fixture
def installing(tmp_path, monkeypatch):
    """A job whose packages are being installed, on a service of its own."""
    started, home = slow_engine(tmp_path / "engine", monkeypatch), tmp_path / "own state"
    with service(home) as own:
        code = code_with(tmp_path / "code", b"./needed-1.0-py3-none-any.whl")
        job = estimator(own, code_dir=code).fit(inputs="/bucket/data/")
        until(started.exists)
        yield job, LocalHome.of(home).job(job.version_id)


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
grep -q 2.0 "$8" && echo "error: uv does not like it" && exit 2
exec "$4" -c 'import sys, sysconfig, zipfile
zipfile.ZipFile(open(sys.argv[1]).read()).extractall(sysconfig.get_path("purelib"))' "$8"
"""


@pytest.fixture(scope="module")
def logs_with_uv(tmp_path_factory):
    """The logs of two jobs on a service that finds uv, by the version that they require: uv cannot install 2.0."""
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
            jobs = {}
            for version in ("1.0", "2.0"):
                code = code_with(folder / version, f"./needed-{version}-py3-none-any.whl".encode(), version)
                jobs[version] = estimator(own, code_dir=code).fit(inputs="/bucket/data/", job_name=f"v{version[0]}")
            assert [job.wait(timeout=120, show=False).status for job in jobs.values()] == [10, 10]
            return {version: job_log(folder / "state", job) for version, job in jobs.items()}


@pytest.mark.parametrize(("version", "fails"), [("1.0", False), ("2.0", True)], ids=["uv", "pip"])
def test_uv_is_used_where_it_is_there_and_pip_if_it_fails(logs_with_uv, version, fails):
    log = logs_with_uv[version]

    assert "index http://mirror.invalid, links /a,/b, constraint" in log and ", none 1\n" in log
    assert f"NEEDED {version}" in log
    assert ("error: uv does not like it" in log) == ("is installed with pip" in log) == fails


LAUNCHES = """
import os, sys
print("SCRIPT", sys.executable, flush=True)
os.system("launch")
"""


def test_programs_of_an_engine_run_with_the_packages_of_the_job(tmp_path, monkeypatch):
    """As `torchrun` does, which names the interpreter that it was installed with."""
    venv.create(tmp_path / "engine", with_pip=False, symlinks=True)
    program = tmp_path / "engine" / "bin" / "launch"
    program.write_text(f"#!{tmp_path}/engine/bin/python\nimport sys, needed\nprint('LAUNCHED', sys.executable)\n")
    program.chmod(0o755)
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"PyTorch": str(tmp_path / "engine" / "bin" / "python")}))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    home = tmp_path / "own state"
    with service(home) as own:
        code = code_with(tmp_path / "code", b"./needed-1.0-py3-none-any.whl")
        (code / "train.py").write_text(LAUNCHES)
        job = estimator(own, code_dir=code).fit(inputs="/bucket/data/")
        assert job.wait(timeout=120, show=False).status == 10
        log = job_log(home, job)

    assert log.partition("SCRIPT ")[2].split()[0] == log.partition("LAUNCHED ")[2].split()[0]
