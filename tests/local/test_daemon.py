"""Starting, finding and ending the service."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
import venv
from pathlib import Path

import attrs
import pytest
import requests
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.errors import JobFailed, ServiceError
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.local.server import THREADS
from modelarts.session import Session
from tests.support.jobs import estimator, put_code, shared, until


def test_two_starts_at_once_end_with_one_service(home):
    found = []
    threads = [threading.Thread(target=lambda: found.append(daemon.ensure(home))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({address.pid for address in found}) == 1


def test_two_processes_starting_at_once_end_with_one_service_that_holds_none_of_their_streams(home):
    code = """
import sys
from pathlib import Path
from modelarts.local import daemon
print(daemon.ensure(Path(sys.argv[1])).pid)
"""
    command, pipes = [sys.executable, "-c", code, str(home)], {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(2)]
    # `communicate` returns only when everybody has closed the pipes.
    pids = {process.communicate(timeout=20)[0].strip() for process in processes}

    assert pids == {str(daemon.find(home).pid)}


def test_the_address_is_for_this_user_only(shared_session, shared_home):
    mode = LocalHome.of(shared_home).address.stat().st_mode

    assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(LocalHome.of(shared_home).root.stat().st_mode) == 0o700


def test_the_service_listens_on_this_machine_only(shared_session):
    port = int(shared_session.host.rpartition(":")[2])
    outside = socket.gethostbyname(socket.gethostname())

    with pytest.raises(OSError), socket.create_connection((outside if outside != "127.0.0.1" else "0.0.0.1", port), 1):
        pass


def test_it_ends_itself_when_idle_and_starts_again(home, monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_IDLE_TIMEOUT", "0.8")
    session = Session.local(home)

    until(lambda: daemon.find(home) is None)

    assert not LocalHome.of(home).address.exists()
    assert session.client.call("list_job_engines").is_success  # the session starts it again
    session.close()


def test_a_session_says_when_jobs_run_with_the_packages_of_another_environment(session, home, tmp_path):
    venv.create(tmp_path / "mine", with_pip=False, symlinks=True)
    python = tmp_path / "mine" / "bin" / "python"
    code = "import sys; from modelarts.session import Session; Session.local(sys.argv[1]); Session.local(sys.argv[1])"
    packages = os.pathsep.join(path for path in sys.path if path)

    said = {
        str(interpreter): subprocess.run(
            [interpreter, "-c", code, str(home)], env={**os.environ, "PYTHONPATH": packages},
            stderr=subprocess.PIPE, text=True, check=True,
        ).stderr
        for interpreter in (python, sys.executable)
    }  # fmt: skip

    (warning,) = said[str(python)].splitlines()
    assert f"was started from the Python environment {sys.prefix}," in warning
    assert f"not with those of {tmp_path / 'mine'}. To use yours, run" in warning
    assert said[sys.executable] == ""


@pytest.fixture
def other_installation(tmp_path, home):
    """A copy of the package in another environment, which runs the service of `home`; gives the folder of the copy."""
    venv.create(tmp_path / "other", with_pip=False, symlinks=True)
    (packages,) = (tmp_path / "other").glob("lib/*/site-packages")
    shutil.copytree(Path(daemon.__file__).parents[1], packages / "modelarts")
    (packages / "others.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    python = tmp_path / "other" / "bin" / "python"
    code = "import sys; from modelarts.session import Session; Session.local(sys.argv[1])"
    subprocess.run([python, "-c", code, str(home)], cwd=tmp_path, check=True)
    return packages / "modelarts"


def test_a_service_whose_installation_was_removed_is_restarted(other_installation, home, tmp_path):
    before = daemon.find(home)
    assert before is not None and Path(before.installation.package) == other_installation
    shutil.rmtree(other_installation)

    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "print('trained')")
        estimator(session).fit(inputs="/bucket/data/").wait(timeout=60, show=False)

    after = daemon.find(home)
    assert after is not None and after.pid != before.pid and after.installation.environment == sys.prefix


def test_a_service_whose_installation_was_replaced_is_restarted_once(other_installation, home):
    before = daemon.find(home)
    assert before is not None and before.installation is not None
    installation = before.installation
    for changed in ("local/places/tree.py", "local/runtime/spec.py", "_version.py"):
        assert not installation.is_replaced(), changed
        newer = installation.installed + 1_000_000
        os.utime(other_installation / changed, ns=(newer, newer))
        assert installation.is_replaced(), changed
        installation = attrs.evolve(installation, installed=newer)

    first, second = daemon.ensure(home), daemon.ensure(home)

    assert before.pid != first.pid == second.pid


def test_a_version_that_an_incomplete_installation_cannot_start_fails_with_that_reason(
    other_installation, home, tmp_path
):
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "print('trained')")
        (other_installation / "local" / "places" / "supervisor.py").unlink()
        job = estimator(session).fit(inputs="/bucket/data/")

        with pytest.raises(JobFailed, match=r"supervisor.py was removed .* restart it with `modelarts local stop`"):
            job.wait(timeout=60, show=False)


def test_a_job_with_an_interpreter_of_its_own_says_nothing_about_it(home, tmp_path, monkeypatch):
    venv.create(tmp_path / "mine", with_pip=False, symlinks=True)
    script = tmp_path / "python"
    packages = os.pathsep.join(path for path in sys.path if path)
    script.write_text(f"#!/bin/sh\nPYTHONPATH='{packages}' exec '{tmp_path}/mine/bin/python' \"$@\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"PyTorch": str(script)}))
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "from modelarts.session import Session; Session(); import sys; print(sys.path)")
        job = estimator(session).fit(inputs="/bucket/data/")
        job.wait(timeout=60, show=False)
        log = job.get_job_log("job-" + job.get_job_info()["job_name"] + ".0")["content"]

    assert str(tmp_path / "mine") in log
    assert "was started from" not in log


def test_a_running_job_keeps_it_from_ending(home, monkeypatch, tmp_path):
    idle_timeout = 0.8
    monkeypatch.setenv("MODELARTS_LOCAL_IDLE_TIMEOUT", str(idle_timeout))
    gate = shared(home) / "gate"
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, f"""
            import os, time
            while not os.path.exists({str(gate)!r}): time.sleep(0.02)
        """)
        job = estimator(session).fit(inputs="/bucket/data/")
        until(lambda: job.get_job_info().status == 8)
        pid = daemon.find(home).pid

        time.sleep(2 * idle_timeout)  # nobody calls it

        assert daemon.find(home).pid == pid
        gate.touch()


def test_a_port_in_use_is_reported_with_what_to_do(home, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("MODELARTS_LOCAL_PORT", str(port))
        with pytest.raises(ServiceError, match=f"port {port} cannot be used: Address already in use. Free it, or set"):
            Session.local(home)


def test_a_home_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ServiceError, match=r"file/local: Not a directory\. Give another folder"):
        Session.local(tmp_path / "file")


def test_a_store_of_a_newer_version_is_refused_and_kept(home):
    import sqlite3

    root = LocalHome.of(home).root
    root.mkdir(parents=True)
    connection = sqlite3.connect(root / "store.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()

    with pytest.raises(ServiceError, match=r"schema 999, and this version .* supports schemas up to .*: upgrade"):
        Session.local(home)


def test_a_token_is_needed_and_never_shown(shared_session, shared_home):
    url = f"{shared_session.host}/v1/local/job/ai-engines"
    token = daemon.find(shared_home).token

    without, wrong = requests.get(url, timeout=5), requests.get(url, headers={"X-Auth-Token": "guess"}, timeout=5)

    assert (without.status_code, without.json()["error_code"]) == (401, "ModelArts.0201")
    assert (wrong.status_code, wrong.json()["error_code"]) == (401, "ModelArts.0203")
    assert token not in repr(shared_session) + repr(shared_session.client.endpoint) + repr(daemon.find(shared_home))
    assert token not in LocalHome.of(shared_home).service_log.read_text()


def test_proxies_of_the_environment_do_not_get_between(home, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    with Session.local(home) as session:
        assert session.client.call("list_job_engines").is_success


def test_another_host_name_is_refused(shared_session, shared_home):
    headers = {"X-Auth-Token": daemon.find(shared_home).token, "Host": "attacker.example"}

    refused = requests.get(f"{shared_session.host}/v1/local/job/ai-engines", headers=headers, timeout=5)

    assert refused.status_code == 403


def test_the_commands_start_show_and_stop_the_service(home, monkeypatch):
    monkeypatch.setenv("MODELARTS_HOME", str(home))

    def run(*arguments: str):
        return CliRunner().invoke(cli, ["local", *arguments])

    assert run("status").exit_code == 3
    assert run("start").output.startswith("started: http://127.0.0.1:")
    assert run("start").output.startswith("running: http://127.0.0.1:")
    assert run("status").exit_code == 0
    assert run("stop").output == "stopped\n"
    assert run("stop").output.startswith("no local service is running")


DAMAGES = [
    "", "[]", "[1]", "5", '"text"', "{}", "\xff", {"token": None}, {"pid": "1"}, {"pid": None}, {"pid": 0}, {"pid": 1},
    {"pid": -1}, {"pid": 10**30}, {"started": 5}, {"started": ""},
]  # fmt: skip


def test_an_address_that_cannot_be_read_is_that_of_no_service(home, monkeypatch):
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    service, file = daemon.ensure(home), LocalHome.of(home).address
    intact = file.read_text()
    for damage in DAMAGES:
        content = damage if isinstance(damage, str) else json.dumps({**json.loads(intact), **damage})
        file.write_bytes(content.encode("latin-1"))

        for command, code in (("status", 3), ("stop", 0)):
            ran = CliRunner().invoke(cli, ["local", command], catch_exceptions=False)
            assert (ran.exit_code, ran.output[:27]) == (code, "no local service is running"), damage

    file.write_text(intact)
    assert daemon.find(home) == service


def test_members_of_the_address_that_another_version_writes_are_ignored(home):
    daemon.ensure(home)
    file = LocalHome.of(home).address
    stored = json.loads(file.read_text())
    iam = dict.fromkeys(("url", "ca_bundle", "account", "region_name", "project_id", "more"), "x")
    installation = {**stored["installation"], "more": 1}
    file.write_text(json.dumps({**stored, "iam": iam, "installation": installation, "more": 1}))

    found = daemon.find(home)

    assert found.iam.region_name == "x"
    assert found.installation.package == stored["installation"]["package"]
    assert daemon.stop(home)


def test_stopping_the_service_leaves_jobs_running(session, home, tmp_path):
    put_code(session, tmp_path, "import time; time.sleep(0.5); print('still here')")
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: job.get_job_info().status == 8)

    daemon.stop(home)

    assert job.wait(timeout=20, show=False).status == 10


def test_a_session_continues_with_a_service_that_was_restarted_on_its_port(home, monkeypatch):
    """It has another token then, which a session learns only from a refusal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MODELARTS_LOCAL_PORT", str(free.getsockname()[1]))
    with Session.local(home) as session:
        daemon.stop(home)
        Session.local(home).close()

        assert session.client.call("list_job_engines").is_success


def test_clients_that_send_half_a_request_do_not_block_others(shared_session):
    port = int(shared_session.host.rpartition(":")[2])
    with contextlib.ExitStack() as stack:
        for _ in range(THREADS + 1):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            silent.sendall(b"POST /v1/local/training-jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n")

        assert shared_session.client.call("list_job_engines").is_success
