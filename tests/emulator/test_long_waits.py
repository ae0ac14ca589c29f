"""Long waits continue after suspends of the machine, restarts of the service, rotated keys and expired tokens.

SIGSTOP simulates a suspended machine: when the process continues, time has passed and its connections are closed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import attrs
import pytest

from modelarts.local import daemon
from modelarts.local.emulator.iam import accounts
from modelarts.local.paths import LocalHome, write_private
from tests.support.jobs import until

TRAIN = """
    import pathlib, time
    for number in range(6):
        print("line", number, flush=True)
        time.sleep(0.7)
    pathlib.Path({over!r}).touch()
"""
WAITS = """
    from modelarts.estimator import Estimator
    from modelarts.session import Session
    estimator = Estimator(Session(), framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6",
        code_dir="/bucket/src/", boot_file="train.py", output_path="/bucket/output/", train_instance_type="local",
        train_instance_count=1)
    job = estimator.fit(inputs="/bucket/data/", job_name="long", wait=True)
    print("ended", job.get_job_info().status.name)
"""


ATTACHES = """
    from modelarts.estimator import TrainingJob
    from modelarts.session import Session
    job = TrainingJob(Session(), job_id=1, version_id=1)
    job.wait()
    print("ended", job.get_job_info().status.name)
"""


@attrs.frozen
class Machine:
    """A service at a fixed port whose account can be changed, and the credentials of its sessions."""

    home: Path
    port: int
    credentials: Path

    def start(self, **changes: object) -> None:
        """Start the service after changing its account."""
        file = LocalHome.of(self.home).account
        write_private(file, {**attrs.asdict(accounts.load_or_create(file)), **changes})
        daemon.ensure(self.home, daemon.CloudOptions(port=self.port))

    @property
    def account(self) -> accounts.Account:
        found = accounts.load(LocalHome.of(self.home).account)
        assert found is not None
        return found

    def write_credentials(self) -> None:
        """Write the current keys to the credentials file."""
        text = f"[basic]\nak = {self.account.access_key}\nsk = {self.account.secret_key}\n"
        fresh = self.credentials.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.replace(self.credentials)

    def environment(self, login: str) -> dict[str, str]:
        address = daemon.find(self.home)
        assert address is not None and address.iam is not None
        url, account = address.iam.url, self.account
        settings = {
            "MODELARTS_ENDPOINT": url, "MODELARTS_IAM_ENDPOINT": url, "MODELARTS_OBS_ENDPOINT": url,
            "MODELARTS_CA_BUNDLE": address.iam.ca_bundle, "HUAWEICLOUD_SDK_REGION": account.region,
            "PYTHONUNBUFFERED": "1", "MODELARTS_READ_TIMEOUT": "5",
        }  # fmt: skip
        if login == "keys in a file":
            return {**settings, "HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(self.credentials)}
        return {**settings, "MODELARTS_USERNAME": account.username, "MODELARTS_ACCOUNT": account.account,
                "MODELARTS_PASSWORD": account.password}  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path, home: Path) -> Machine:
    """A service whose tokens expire after a second, with a script and data in its buckets."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        created = Machine(home, free.getsockname()[1], tmp_path / "credentials")
    buckets = LocalHome.of(home).buckets / "bucket"
    for name, text in {"src/train.py": TRAIN.format(over=str(tmp_path / "over")), "data/rows.csv": "1,2"}.items():
        (buckets / name).parent.mkdir(parents=True)
        (buckets / name).write_text(textwrap.dedent(text))
    created.start(token_lifetime=1.0)
    created.write_credentials()
    return created


def waiting(machine: Machine, login: str, program: str = WAITS) -> subprocess.Popen[str]:
    """Start a process that waits for a job, and return when it has shown the first lines of the log."""
    environment = {**os.environ, **machine.environment(login)}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert process.stdout is not None
    seen = []
    while not seen or "line 1" not in seen[-1]:
        seen.append(process.stdout.readline())
        assert seen[-1], "".join(seen)
    return process


def rest_of(process: subprocess.Popen[str]) -> list[str]:
    output = all_of(process)
    assert process.returncode == 0, output
    return output.splitlines()


def all_of(process: subprocess.Popen[str]) -> str:
    """Wait for its end and return its output; `communicate` would lose what `readline` has read ahead."""
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read()
    process.wait(timeout=20)
    return output


@pytest.mark.parametrize("login", ["keys in a file", "password"])
def test_a_wait_continues_after_a_suspend_with_a_restart_and_rotated_keys(
    machine: Machine, login: str, tmp_path: Path
):
    process = waiting(machine, login)

    process.send_signal(signal.SIGSTOP)
    daemon.stop(machine.home)
    machine.start(access_key="ROTATED", secret_key="rotated-secret", token_lifetime=1.0)
    machine.write_credentials()
    until((tmp_path / "over").exists)
    process.send_signal(signal.SIGCONT)

    shown = rest_of(process)
    assert [line for line in shown if line.startswith("line")] == [f"line {number}" for number in range(2, 6)]
    assert shown[-2:] == ["JOBSTAT_COMPLETED", "ended JOBSTAT_COMPLETED"]


def test_expired_tokens_and_rotated_keys_are_renewed_silently(machine: Machine):
    processes = [waiting(machine, "keys in a file"), waiting(machine, "password", ATTACHES)]

    machine.start(access_key="ROTATED", secret_key="rotated-secret", token_lifetime=1.0)
    daemon.stop(machine.home)
    machine.write_credentials()
    daemon.ensure(machine.home, daemon.CloudOptions(port=machine.port))

    for shown in map(rest_of, processes):
        assert [line for line in shown if line.startswith("line")] == [f"line {number}" for number in range(2, 6)]
        assert shown[-1] == "ended JOBSTAT_COMPLETED"


def test_ctrl_c_does_not_stop_the_job_in_the_cloud(machine: Machine, tmp_path: Path):
    process = waiting(machine, "keys in a file")

    process.send_signal(signal.SIGINT)
    output = all_of(process)

    assert "no longer waiting; the job continues. To stop it: Estimator(session, job_id=1, version_id=1)" in output
    until((tmp_path / "over").exists)


def test_the_account_of_these_tests_has_a_rotated_key_and_short_lifetimes(machine: Machine):
    """The tests above would also pass if no key had been rotated."""
    before = machine.account.access_key
    machine.start(access_key="ROTATED")

    assert before != "ROTATED" == machine.account.access_key
    assert json.loads(LocalHome.of(machine.home).account.read_text())["token_lifetime"] == 1.0
