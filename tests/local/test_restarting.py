"""A service that was killed, or stopped itself when idle, starts again with the options that it had."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.errors import ServiceError
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.local.processes import Process
from modelarts.session import Session
from tests.support.jobs import until


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `modelarts local …` on a home of its own."""
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    return lambda *arguments: CliRunner().invoke(cli, ["local", *arguments], catch_exceptions=False)


def kill(home: Path) -> None:
    found = daemon.find(home)
    service = Process(found.pid, found.started)
    service.signal(signal.SIGKILL)
    until(lambda: not service.is_running())


def bound(taken: socket.socket, port: int) -> bool:
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_session_starts_a_killed_service_with_the_cloud_address_that_it_had(run, home):
    port = free_port()
    run("start", "--auth", "iam", "--region", "cn-east-3", "--port", str(port))
    before = daemon.find(home)
    with Session.local(home) as session:
        kill(home)

        assert session.client.call("list_job_engines").is_success

    after = daemon.find(home)
    assert after.pid != before.pid
    assert after.iam == before.iam
    assert (after.iam.region_name, urlsplit(after.iam.url).port) == ("cn-east-3", port)


def test_the_command_does_the_same(run, home):
    run("start", "--auth", "iam")
    kill(home)

    assert "as the cloud: https://127.0.0.1:" in run("start").output


def test_a_service_that_stopped_itself_starts_as_before(home, monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_IDLE_TIMEOUT", "1")
    daemon.ensure(home, daemon.CloudOptions())
    until(lambda: daemon.find(home) is None)
    monkeypatch.setenv("MODELARTS_LOCAL_IDLE_TIMEOUT", "3600")

    assert daemon.ensure(home).iam is not None


def test_a_service_that_is_stopped_after_it_was_killed_starts_anew(run, home):
    run("start", "--auth", "iam")
    kill(home)
    run("stop")

    assert daemon.ensure(home).iam is None


def test_options_of_a_start_count_before_those_of_the_last(run, home):
    run("start", "--auth", "iam")
    kill(home)
    run("start", "--auth", "token")
    assert daemon.find(home).iam is None
    kill(home)

    run("start", "--auth", "iam", "--region", "cn-north-1")

    assert daemon.find(home).iam.region_name == "cn-north-1"


def test_settings_of_the_environment_that_started_it_are_kept(home, monkeypatch):
    port = free_port()
    monkeypatch.setenv("MODELARTS_LOCAL_PORT", str(port))
    daemon.ensure(home)
    assert LocalHome.of(home).start_options.stat().st_mode & 0o077 == 0  # for this user only
    monkeypatch.delenv("MODELARTS_LOCAL_PORT")
    kill(home)

    assert urlsplit(daemon.ensure(home).url).port == port
    kill(home)
    monkeypatch.setenv("MODELARTS_LOCAL_PORT", "0")  # a present variable counts before a past one
    assert urlsplit(daemon.ensure(home).url).port != port


@pytest.mark.parametrize("stored", [
    "[1]", "5", '"text"', "{}", '{"iam": null}', '{"iam": null, "environment": null}',
    '{"iam": null, "environment": [1]}', '{"iam": null, "environment": {"MODELARTS_LOCAL_PORT": 5}}',
    '{"iam": "text", "environment": {}}', '{"iam": {"region": 5, "port": "x"}, "environment": {"PATH": "/nowhere"}}',
])  # fmt: skip
def test_options_that_cannot_be_read_are_not_used(run, home, stored):
    LocalHome.of(home).root.mkdir(parents=True)
    LocalHome.of(home).start_options.write_text(stored)

    assert run("start").output.startswith("started: http://127.0.0.1:")

    assert daemon.find(home).iam is None


def test_options_of_a_newer_version_are_used_as_far_as_they_are_known(run, home):
    LocalHome.of(home).root.mkdir(parents=True)
    options = '{"iam": {"region": "cn-east-3", "port": 0, "more": 1}, "environment": {}, "more": 1}'
    LocalHome.of(home).start_options.write_text(options)

    run("start")

    assert daemon.find(home).iam.region_name == "cn-east-3"


def test_a_variable_of_the_last_start_that_no_longer_works_is_reported_with_the_way_out(run, home, new_interpreter):
    LocalHome.of(home).root.mkdir(parents=True)
    LocalHome.of(home).start_options.write_text('{"iam": null, "environment": {"MODELARTS_LOCAL_A=B": "1"}}')

    with pytest.raises(ServiceError, match=r"cannot be started: .*`modelarts local stop` discards them"):
        daemon.ensure(home)

    run("stop")
    assert run("start").output.startswith("started: ")


def test_options_that_no_longer_work_are_reported_with_the_way_out(run, home):
    port = free_port()
    run("start", "--auth", "iam", "--port", str(port))
    kill(home)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        until(lambda: bound(taken, port))  # the threads of a killed process do not end all at once
        taken.listen()

        with pytest.raises(ServiceError, match=rf"port {port} cannot be used .*`modelarts local stop` discards them"):
            Session.local(home)

        run("stop")
        Session.local(home).close()
    assert daemon.find(home).iam is None
