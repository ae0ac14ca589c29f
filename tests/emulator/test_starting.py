"""Starting a service with `--auth iam`, and the output of the commands."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shlex
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import psutil
import pytest
import requests
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.errors import ServiceError
from modelarts.local import daemon, service_start
from modelarts.local.emulator.iam import accounts
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.emulator.cloud_client import CloudClient, sign
from tests.support.jobs import estimator, put_code, until


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `modelarts local …` with a separate home."""
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    return lambda *arguments: CliRunner().invoke(cli, ["local", *arguments])


@pytest.fixture
def http():
    with requests.Session() as http:
        yield http


def cloud_client_of(home: Path, http: requests.Session) -> CloudClient:
    address = daemon.find(home).iam
    return CloudClient(address, accounts.load(Path(address.account)), http)


def test_a_start_reports_the_account_file_and_no_secrets(run, home):
    first, second = run("start", "--auth", "iam", "--region", "cn-east-3"), run("start", "--auth", "iam")

    account = accounts.load(LocalHome.of(home).account)
    assert first.output.startswith("started: http://127.0.0.1:")
    assert second.output.replace("running", "started") == first.output
    assert f"(region cn-east-3, account in {LocalHome.of(home).account})" in first.output
    files = [file.read_text() for file in (LocalHome.of(home).address, LocalHome.of(home).service_log)]
    for message in [first.output, *files]:
        assert account.secret_key not in message
        assert account.password not in message


def test_the_credentials_can_be_read_by_a_shell(run, home):
    assert run("credentials").exception.args[0].endswith("`modelarts local start --auth iam`")
    run("start", "--auth", "iam")
    account, iam = accounts.load(LocalHome.of(home).account), daemon.find(home).iam

    masked, shown = run("credentials").output, run("credentials", "--show").output

    for secret in (account.secret_key, account.password):
        assert secret not in masked
        assert secret in shown
    variables = dict(word.split("=", 1) for word in shlex.split(shown, comments=True) if "=" in word)
    assert variables == {
        "MODELARTS_MODE": "cloud",
        "MODELARTS_ENDPOINT": iam.url,
        "MODELARTS_IAM_ENDPOINT": iam.url,
        "MODELARTS_OBS_ENDPOINT": iam.url,
        "MODELARTS_CA_BUNDLE": iam.ca_bundle,
        "HUAWEICLOUD_SDK_REGION": "cn-north-4",
        "HUAWEICLOUD_SDK_PROJECT_ID": account.project_id,
        "HUAWEICLOUD_SDK_AK": account.access_key,
        "HUAWEICLOUD_SDK_SK": account.secret_key,
    }


def test_a_running_service_with_other_options_is_reported(run):
    run("start")
    assert "runs without --auth iam: stop it first" in str(run("start", "--auth", "iam").exception)
    run("stop")
    run("start", "--auth", "iam")

    for_another_region = run("start", "--auth", "iam", "--region", "cn-east-3").exception
    assert "runs for region cn-north-4: stop it first" in str(for_another_region)
    assert "runs at https://127.0.0.1:" in str(run("start", "--auth", "iam", "--port", "1").exception)
    for command in ("start", "status"):
        assert "as the cloud: https://127.0.0.1:" in run(command).output


@pytest.mark.parametrize("options", [["--region", "cn-east-3"], ["--port", "8443"], ["--auth", "none"]])
def test_options_without_auth_iam_are_rejected(run, options):
    assert run("start", *options).exit_code == 2


def test_a_port_can_be_chosen_and_a_used_one_is_reported(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=f"port {port} cannot be used for --auth iam: .*choose another --port"):
            daemon.ensure(home, daemon.CloudOptions(port=port))

    assert daemon.ensure(home, daemon.CloudOptions(port=port)).iam.url == f"https://127.0.0.1:{port}"


def test_a_malformed_account_file_is_reported(home):
    file = LocalHome.of(home).account
    file.parent.mkdir(parents=True)
    file.write_text("{")

    with pytest.raises(ServiceError, match=r"account\.json: .*correct it, or remove it"):
        daemon.ensure(home, daemon.CloudOptions())
    assert file.read_text() == "{"


@pytest.mark.parametrize("package", service_start.NEEDED_FOR_IAM)
def test_a_missing_package_is_reported_with_the_command_to_install_it(home, monkeypatch, package):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))

    with pytest.raises(ServiceError, match=rf"\({package}\): run `pip install 'modelarts\[iam\]'`"):
        daemon.ensure(home, daemon.CloudOptions())
    assert daemon.ensure(home).iam is None


def test_without_auth_iam_the_emulator_is_not_imported():
    code = "import sys, modelarts.local.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "modelarts.local.api.app" in loaded
    assert not [name for name in loaded if name.startswith(("cheroot", "cryptography", "modelarts.local.iam"))]


def test_address_tokens_keys_and_the_certificate_are_valid_after_a_restart(home, http):
    first = daemon.ensure(home, daemon.CloudOptions()).iam
    token = cloud_client_of(home, http).token()
    before = Path(first.ca_bundle).read_bytes()

    daemon.stop(home)
    daemon.ensure(home, daemon.CloudOptions())

    cloud = cloud_client_of(home, http)
    assert cloud.send("GET", f"{cloud.v1}/job/ai-engines", headers={"X-Auth-Token": token}).status_code == 200
    assert Path(cloud.address.ca_bundle).read_bytes() == before
    assert cloud.address.url == first.url


def test_lifetimes_are_those_of_the_account_file(home, http):
    file = LocalHome.of(home).account
    accounts.load_or_create(file)
    file.write_text(json.dumps({**json.loads(file.read_text()), "token_lifetime": 0.5, "keys_lifetime": 0.5}))
    daemon.ensure(home, daemon.CloudOptions())
    cloud = cloud_client_of(home, http)
    keys, token = cloud.temporary_keys(), cloud.token()
    url, security = f"{cloud.v1}/job/ai-engines", {"X-Security-Token": keys["securitytoken"]}

    def by_token() -> str:
        return str(cloud.send("GET", url, headers={"X-Auth-Token": token}).json().get("error_code"))

    def by_keys() -> str:
        request = sign(keys["access"], keys["secret"], "GET", url, headers=security)
        return str(cloud.send_prepared(request).json().get("error_code"))

    until(lambda: by_token() == "ModelArts.0202")
    until(lambda: by_keys() == "ModelArts.0207")


def test_local_sessions_and_scripts_work_at_the_same_time(home, tmp_path):
    daemon.ensure(home, daemon.CloudOptions())
    script = """
        from modelarts.session import Session
        session = Session()
        session.obs.upload_file(__file__, "obs://bucket/from-the-job/")
        print(session.region_name)
    """
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, script)

        job = estimator(session).fit(inputs="/bucket/data/")

        assert job.wait(timeout=30, show=False).status == 10
        assert session.obs.is_obs_path_exists("obs://bucket/from-the-job/train.py")


def test_it_stops_at_once_during_long_polls(home, http, tmp_path):
    daemon.ensure(home, daemon.CloudOptions())
    cloud = cloud_client_of(home, http)
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "import time; print('ready', flush=True); time.sleep(300)")
        job = estimator(session).fit(inputs="/bucket/data/")
        until(lambda: job.get_job_info().status == 8)
        (log,) = job.get_job_log_file_list().log_file_list
        shown = until(lambda: "ready" in (part := job.get_job_log(log_file=log)).content and part)
    url = f"{cloud.v1}/training-jobs/{job.job_id}/versions/{job.version_id}/aom-log"
    query = {"log_file": log, "base_line": shown.end_line, "order": "desc"}
    options = {"params": query, "headers": {"X-Auth-Token": cloud.token()}}
    options["headers"]["Prefer"] = "wait=30"

    def long_poll() -> None:
        with requests.Session() as http, contextlib.suppress(requests.RequestException):
            while True:  # until the service closes the connection
                attrs.evolve(cloud, http=http).send("GET", url, **options)

    poller = threading.Thread(target=long_poll, daemon=True)
    poller.start()
    service, port = psutil.Process(daemon.find(home).pid), urlsplit(cloud.address.url).port

    def connections() -> int:
        time.sleep(0.1)  # to list them takes long
        return len([one for one in service.net_connections() if one.laddr.port == port and one.raddr])

    until(lambda: connections() > 1)

    assert daemon.stop(home)  # raises if the service does not end in time
    poller.join(10)
    assert not poller.is_alive()
