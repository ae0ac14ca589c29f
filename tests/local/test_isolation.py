"""What a job has of its own, and that nothing outlives it, on machines that allow all, some or none of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from modelarts.errors import JobFailed, JobStopped
from modelarts.job import TrainingJob
from modelarts.local.paths import LocalHome, read_json
from modelarts.session import Session
from tests.support import rights
from tests.support.jobs import estimator, put_code, shared, until
from tests.support.processes import end_service, running

# What real scripts do: folders without `exist_ok`, a lock in /tmp that says that the data have been copied.
NONE_LEFT = "unshare: the limit of namespaces is reached"
REPORT = """
import glob, json, os, subprocess, sys, threading
sleep = os.environ["DLS_JOB_ID"].zfill(4)
seen = {
    "cwd": os.getcwd(), "file": __file__, "path": sys.path, "user": os.getuid(), "pid": os.getpid(),
    "processes": [name for name in os.listdir("/proc") if name.isdigit()],
    "own": {path: sorted(os.listdir(path)) for path in ("/cache", "/tmp", "/home/work") if os.path.isdir(path)},
    "root": os.listdir("/"), "home": [], "tmpdir": os.environ.get("TMPDIR"),
    "mode": oct(os.stat("/tmp").st_mode), "umask": oct(os.umask(0o022)), "devices": os.path.exists("/dev/null"),
}
seen["reached"] = [*glob.glob("/proc/[0-9]*/cwd/workers.json"), *glob.glob("/proc/[0-9]*/cwd/jobs/*/workers.json")]
for folder, _, files in os.walk(os.environ["MODELARTS_HOME"]):
    seen["home"] += [os.path.relpath(os.path.join(folder, name), os.environ["MODELARTS_HOME"]) for name in files]
if seen["cwd"] == "/home/work/user-job-dir":
    os.mkdir("/cache/datasets")
    os.makedirs("/cache/code")
    os.mkdir("/home/work/user-job-dir/data")
    with open("/tmp/copy_sync.lock0", "x") as lock:
        lock.write("copied")
    open("/cache/large", "w").write("content")
os.environ["LEFT"] = "a variable of its own"
subprocess.run(["sh", "-c", "trap '' TERM; setsid sleep {mark} &"])
subprocess.Popen(["sleep", "{mark}"], start_new_session=True)
print("SEEN", json.dumps(seen), flush=True)
"""
STAY = REPORT + "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); import time; time.sleep({mark})"


@attrs.frozen
class Machine:
    """A service on a machine that allows some isolation, and a job of two nodes that has ended on it."""

    rights: str
    session: Session
    home: Path
    mark: str  # in the commands of all that jobs leave running
    job: TrainingJob

    @property
    def has_tree(self) -> bool:
        return self.rights != "namespaces"

    @property
    def has_processes(self) -> bool:
        return self.rights in ("nothing", "administration")

    def start(self, script: str, **changes: Any) -> TrainingJob:
        put_code(self.session, self.home, script.replace("{mark}", self.mark))
        return estimator(self.session, **changes).fit(inputs="/bucket/data/")

    def log(self, node: int = 0) -> str:
        return str(self.job.get_job_log(self.job.get_job_log_file_list().log_file_list[node]).content)

    def seen(self, node: int = 0) -> dict[str, Any]:
        found = re.search("^SEEN (.*)$", self.log(node), re.MULTILINE)
        assert found, self.log(node)
        return dict(json.loads(found[1]))


@pytest.fixture(scope="module", params=rights.ALL)
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    home = tmp_path_factory.mktemp("home")
    mark = f"7{rights.ALL.index(request.param)}{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(rights.GIVEN_UP, request.param)
        patch.setenv("MODELARTS_LOCAL_GRACE", "1")
        patch.setenv("HOME", str(home / "user"))
        session = Session.local(home / "state")
    session.obs.create_bucket("bucket")
    (home / "user").mkdir()
    put_code(session, home, REPORT.replace("{mark}", mark))
    job = estimator(session, train_instance_count=2).fit(inputs="/bucket/data/")
    job.wait(timeout=60, show=False)
    left = running(mark)
    yield Machine(request.param, session, home, mark, job)
    end_service(home / "state")
    assert left == []


def test_a_node_has_the_folders_of_the_platform_empty_and_for_itself(machine):
    for node in (0, 1):
        seen = machine.seen(node)
        if machine.has_tree:
            assert seen["cwd"] == "/home/work/user-job-dir"
            assert seen["own"]["/cache"] == []
            assert seen["own"]["/home/work"] == ["user-job-dir"]
            assert "copy_sync.lock0" not in seen["own"]["/tmp"]
            assert seen["mode"] == "0o41777"
        assert seen["cwd"] in seen["path"]
        assert seen["file"] == f"{seen['cwd']}/src/train.py"


def test_the_rest_of_the_machine_stays_visible(machine):
    seen = machine.seen()

    assert {*os.listdir("/")} <= {*seen["root"]}  # noqa: PTH208
    assert seen["devices"]
    assert seen["user"] == os.getuid()
    mask = os.umask(0o022)
    os.umask(mask)
    assert seen["umask"] == oct(mask)


def test_a_job_sees_its_own_processes_only_where_it_has_a_namespace(machine):
    seen = machine.seen()

    assert str(seen["pid"]) in seen["processes"]
    assert ({*seen["processes"]} == {"1", str(seen["pid"])}) == machine.has_processes


def test_of_the_home_a_job_sees_its_buckets_and_its_own_session_only(machine):
    found = machine.seen()["home"]

    assert "local/buckets/bucket/data/rows.csv" in found
    if machine.has_tree:
        job = f"local/jobs/{machine.job.version_id}"
        own = ("local/buckets/", "local/environments/", f"{job}/session/", f"{job}/python-0/")
        assert [path for path in found if not path.startswith(own)] == []
        assert machine.seen()["reached"] == []  # nor by the processes of the machine, where it sees them


def test_what_a_job_leaves_is_readable_from_outside(machine):
    node = LocalHome.of(machine.home / "state").job(machine.job.version_id).node(0)

    assert (node.job_dir / "src" / "train.py").is_file()
    if machine.has_tree:
        assert (node.cache / "large").read_text() == "content"
        assert (node.tmp / "copy_sync.lock0").read_text() == "copied"


def test_the_log_says_once_what_is_not_as_on_the_platform(machine):
    said = [line for line in machine.log().splitlines() if "modelarts doctor" in line]

    expected = {
        "namespaces": f"private /cache, /tmp and /home/work are not possible here ({NONE_LEFT})",
        "a private /proc": "private processes are not possible here (mount /proc: Operation not permitted)",
    }
    assert len(said) == (machine.rights in expected)
    assert all(expected[machine.rights] in line for line in said)


def test_without_a_tree_temporary_files_are_in_a_folder_of_the_job(machine):
    node = LocalHome.of(machine.home / "state").job(machine.job.version_id).node(0)

    assert machine.seen()["tmpdir"] == (None if machine.has_tree else str(node.tmp))


def test_nothing_outlives_a_stop_even_if_it_ignores_it(machine, monkeypatch):
    job = machine.start(STAY)
    until(lambda: "SEEN" in job.get_job_log(f"job-{job.job_name}.0").content)
    assert len(running(machine.mark)) >= 2

    job.stop_job_version()
    with pytest.raises(JobStopped):
        job.wait(timeout=30, show=False)

    assert running(machine.mark) == []


def test_nothing_outlives_its_supervisor(machine):
    job = machine.start(STAY)
    until(lambda: "SEEN" in job.get_job_log(f"job-{job.job_name}.0").content)
    paths = LocalHome.of(machine.home / "state").job(job.version_id)

    os.kill(int(paths.alive.read_text()), signal.SIGKILL)
    if not machine.has_processes:  # both at once: nothing is left that holds them together
        os.kill(read_json(paths.workers)[0]["pid"], signal.SIGKILL)

    until(lambda: job.get_job_info().status == 14)
    until(lambda: running(machine.mark) == [])


def test_the_end_is_reported_at_once_while_a_child_holds_the_output(machine):
    job = machine.start(REPORT + "sys.exit(3)")

    with pytest.raises(JobFailed, match="exit code 3"):
        job.wait(timeout=60, show=False)
    info = job.get_job_info()

    assert info.duration < 4000  # milliseconds; the supervisor would wait longer for the pipe
    assert running(machine.mark) == []


@pytest.mark.parametrize("given_up", ["nothing", "namespaces"])
def test_isolation_can_be_required(home, tmp_path, monkeypatch, given_up):
    monkeypatch.setenv("MODELARTS_LOCAL_ISOLATION", "require")
    monkeypatch.setenv(rights.GIVEN_UP, given_up)
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "")
        job = estimator(session).fit(inputs="/bucket/data/")

        if given_up == "nothing":
            assert job.wait(timeout=60, show=False).status == 10
        else:
            problem = f"local_isolation is require, and {NONE_LEFT}; `modelarts doctor` says how to"
            with pytest.raises(JobFailed, match=re.escape(problem)):
                job.wait(timeout=60, show=False)


@pytest.fixture
def below_tmp() -> Iterator[Path]:
    """A folder that the `/tmp` of a job hides, wherever those of other tests are."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)
        end_service(Path(folder) / "state")


def test_what_a_job_needs_is_visible_wherever_it_is(monkeypatch, below_tmp):
    """Below `/tmp`: a script that starts an interpreter, packages, a bucket that is a link.

    The job may change the bucket and its home, not the rest: emptying its own `/tmp` must not reach the machine's.
    """
    home = below_tmp / "state"
    program = below_tmp / "programs" / "python"
    program.parent.mkdir()
    venv.create(below_tmp / "venv", symlinks=True)
    program.write_text(f'#!/bin/sh\nexec "{below_tmp}/venv/bin/python" "$@"\n')
    program.chmod(0o755)
    library, elsewhere = below_tmp / "library", below_tmp / "elsewhere"
    library.mkdir()
    (library / "mine.py").write_text("value = 7")
    elsewhere.mkdir()
    (elsewhere / "object").write_text("linked")
    (below_tmp / "user home").mkdir()
    monkeypatch.setenv("HOME", str(below_tmp / "user home"))
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"PyTorch": str(program)}))
    monkeypatch.setenv("MODELARTS_LOCAL_ENVIRONMENT", "PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", str(library))
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        (shared(home) / "linked-bucket").symlink_to(elsewhere)
        put_code(session, below_tmp, f"""
            import mine, os, shutil
            print("VALUE", mine.value, open("{shared(home)}/linked-bucket/object").read())
            open("{shared(home)}/linked-bucket/other", "w").write("written")
            open(os.path.expanduser("~/.cache"), "w").write("written")
            for folder in ("{library}", "{below_tmp}/venv", "{program.parent}"):
                shutil.rmtree(folder, ignore_errors=True)  # as `rm -rf /tmp/*` does
        """)
        job = estimator(session).fit(inputs="/bucket/data/")
        job.wait(timeout=60, show=False)
        log = job.get_job_log(f"job-{job.job_name}.0").content

    assert "VALUE 7 linked" in log
    assert (elsewhere / "other").read_text() == (below_tmp / "user home" / ".cache").read_text() == "written"
    assert program.exists() and (library / "mine.py").exists() and (below_tmp / "venv" / "bin" / "python").exists()


def test_a_link_to_an_interpreter_in_the_home_does_not_hinder_isolation(monkeypatch, below_tmp):
    program = below_tmp / "bin" / "python"
    program.parent.mkdir()
    program.symlink_to(os.path.realpath(sys.executable))
    monkeypatch.setenv("HOME", str(program.resolve().parent))
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"PyTorch": str(program)}))
    monkeypatch.setenv("MODELARTS_LOCAL_ISOLATION", "require")
    with Session.local(below_tmp / "state") as session:
        session.obs.create_bucket("bucket")
        put_code(session, below_tmp, "print('WORKED')")
        job = estimator(session).fit(inputs="/bucket/data/")

        assert job.wait(timeout=60, show=False).status == 10


IN_THE_WAY = """
import sys
from pathlib import Path
from modelarts.local.places import isolation
from modelarts.local.places.tree import Tree

root, shown = Path(sys.argv[1]), Path(sys.argv[2])
(root / "tmp").mkdir(parents=True)
(root / "tmp" / shown.parts[2]).write_text("a file where a folder must be")
node = isolation.open_node(Tree(str(root), ("/tmp",), "/nothing", (str(shown),)), "auto")
print(node.level.tree, node.lacking)
isolation.end([node])
"""


def test_a_path_that_cannot_be_shown_is_named_and_costs_no_isolation(tmp_path, below_tmp):
    shown = below_tmp / "needed"
    shown.mkdir()

    command = [sys.executable, "-c", IN_THE_WAY, str(tmp_path / "node"), str(shown)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == f"True ['{shown}: Not a directory']\n"
