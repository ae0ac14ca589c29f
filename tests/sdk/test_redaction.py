"""Secrets are not shown, and files with secrets are for their owner only."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from modelarts._auth import login
from modelarts._auth.signing import Keys
from modelarts.cli.main import cli
from modelarts.errors import ApiError, AuthError, ConfigError
from modelarts.session import Session
from tests.support.cloud import PROJECT, Cloud, cloud_session
from tests.support.machine import (
    INFO,
    REGION,
    Machine,
    ask,
    by_file,
    by_huawei_file,
    by_profile,
    by_shared_file,
    iam_knows,
    iam_lets_in,
)

# --- secrets

SECRETS = {"secret_key": "SECRET-KEY", "security_token": "SECRET-TOKEN", "password": "SECRET-PASSWORD"}


def in_environment(machine: Machine) -> None:
    for name, variable in (("secret_key", "SK"), ("security_token", "SECURITY_TOKEN"), ("password", "PASSWORD")):
        machine.set(f"HUAWEICLOUD_SDK_{variable}", SECRETS[name])
    machine.set("HUAWEICLOUD_SDK_AK", "AK")


def in_huawei_file(machine: Machine) -> None:
    machine.huawei_file(ak="AK", sk=SECRETS["secret_key"], security_token=SECRETS["security_token"])


def in_shared_file(machine: Machine) -> None:
    machine.shared_file(
        access_key_id="AK", secret_access_key=SECRETS["secret_key"], security_token=SECRETS["security_token"]
    )


def in_profile(machine: Machine) -> None:
    machine.settings(profile="dev", profiles={"dev": {"access_key": "AK", **SECRETS}})


def in_file(machine: Machine) -> None:
    machine.settings(access_key="AK", **SECRETS)


@pytest.mark.parametrize("set_up", [in_environment, in_huawei_file, in_shared_file, in_profile, in_file])
def test_no_secret_is_ever_shown(
    machine: Machine, cloud: Cloud, caplog: pytest.LogCaptureFixture, set_up: Callable[[Machine], None]
):
    set_up(machine)
    machine.set("HUAWEICLOUD_SDK_REGION", REGION)
    machine.set("HTTPS_PROXY", "http://user:SECRET'URL@proxy.example.com")
    iam_knows(cloud, {"name": REGION, "id": PROJECT})
    cloud.answer("GET", "/job/ai-engines", {"error_code": "ModelArts.0010", "error_msg": "no"}, 400)
    cloud.answer("GET", INFO, {"error_code": "APIGW.0301", "error_msg": "no"}, 401)

    with caplog.at_level(logging.DEBUG):
        outputs = [CliRunner().invoke(cli, command) for command in (["whoami"], ["config", "show"])]
        session = Session()
        with pytest.raises(AuthError) as caught:
            ask(session)
    printed = [result.output + repr(result.exception) for result in outputs]
    shown = [session, session.client.endpoint, session.client.endpoint.auth, session._services, caught.value]

    assert isinstance(outputs[0].exception, ApiError)
    assert "****" in printed[0]
    assert "****" in printed[1]
    assert [text for text in (*printed, *map(repr, shown), *map(str, shown), caplog.text) if "SECRET" in text] == []


def test_no_secret_of_a_password_session_is_shown(cloud: Cloud, caplog: pytest.LogCaptureFixture):
    iam_lets_in(cloud)

    with caplog.at_level(logging.DEBUG):
        session = Session(username="user", password=SECRETS["password"], region_name=REGION)

    shown = [session, session.client.endpoint, session.client.endpoint.auth]
    assert [text for text in (*map(repr, shown), caplog.text) if "SECRET" in text or "TOKEN" in text] == []


@pytest.mark.parametrize("set_up", [by_shared_file, by_huawei_file, by_profile, by_file])
@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o640, True), (0o604, True), (0o400, False)])
def test_one_warning_for_credentials_that_others_can_read(
    machine: Machine, caplog: pytest.LogCaptureFixture, set_up: Callable[[Machine], None], mode: int, warns: bool
):
    set_up(machine)
    (file,) = [path for path in (machine.shared, machine.huawei, machine.config) if path.exists()]
    file.chmod(mode)

    for _ in range(3):
        Session(region_name=REGION, project_id=PROJECT)

    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert logged == ([f"{file} holds credentials and other users can read it: run chmod 600 {file}"] if warns else [])


def test_modes_of_files_are_ignored_on_windows(
    machine: Machine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """On Windows, every file has mode 0666."""
    monkeypatch.setattr(login, "_HAS_MODES", False)
    by_file(machine)
    machine.config.chmod(0o666)

    Session(region_name=REGION, project_id=PROJECT)

    assert caplog.records == []


def test_a_file_without_credentials_may_be_read_by_all(machine: Machine, caplog: pytest.LogCaptureFixture):
    machine.settings(region_name=REGION)
    machine.config.chmod(0o644)

    cloud_session()

    assert caplog.text == ""


def test_keys_show_only_the_access_key():
    assert repr(Keys("AK", "SECRET", "SECRET")) == "Keys(access_key='AK')"


def test_an_endpoint_with_a_password_is_refused_and_masked(machine: Machine):
    machine.set("MODELARTS_ENDPOINT", "https://user:SECRET@modelarts.example.com")

    with pytest.raises(ConfigError, match=r"modelarts_endpoint='https://\*\*\*\*@modelarts.example.com' .*: write it"):
        Session()
    with pytest.raises(ConfigError, match=r"'https://\*\*\*\*@iam.example.com' \(argument\): write it without"):
        Session.set_endpoint("https://user:SECRET@iam.example.com", "obs", "modelarts", "eu-de")


@pytest.mark.parametrize("mark", ["", "'", '"', "'\"", "@"])
@pytest.mark.parametrize("variable", ["MODELARTS_PROXY", "HTTPS_PROXY"])
def test_a_proxy_is_shown_without_its_password(machine: Machine, variable: str, mark: str):
    machine.set("HUAWEICLOUD_SDK_REGION", REGION)
    machine.set(variable, f"http://user:SEC{mark}RET@127.0.0.1:3128")

    shown = [CliRunner().invoke(cli, command).output for command in (["whoami", "--no-check"], ["config", "show"])]

    row = next(line.split() for line in shown[0].splitlines() if line.startswith("proxy"))
    assert row == ["proxy", "http://****@127.0.0.1:3128", "environment", variable]
    assert [text for text in shown if "SEC" in text or "RET" in text] == []


@pytest.mark.parametrize("mark", ["", "'", '"', "'\"", "@"])
def test_the_password_of_an_endpoint_is_not_shown(machine: Machine, mark: str):
    machine.set("MODELARTS_ENDPOINT", f"https://user:SEC{mark}RET@127.0.0.1")

    with pytest.raises(ConfigError, match=r"^modelarts_endpoint='https://\*\*\*\*@127.0.0.1' \(environment "):
        Session()
