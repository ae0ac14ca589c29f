"""All credentials come from one source, in a fixed order."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modelarts._auth import local_mode
from modelarts.cli.main import cli
from modelarts.errors import ConfigError
from modelarts.session import Session
from tests.support.cloud import PROJECT, Cloud, cloud_session
from tests.support.machine import (
    IAM,
    INFO,
    ORDER,
    OTHER_PROJECT,
    REGION,
    Machine,
    by_environment,
    by_huawei_file,
    by_shared_file,
    iam_knows,
    keys_of,
    login,
)

# --- one order


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[row[0] for row in ORDER])
def test_all_credentials_come_from_the_first_source_that_has_some(machine: Machine, first: int):
    for _, set_up, _ in reversed(ORDER[first:]):
        set_up(machine)
    name, _, title = ORDER[first]
    machine.set("REGION_NAME", REGION)
    machine.set("PROJECT_ID", PROJECT)

    assert keys_of(Session(project_id=PROJECT)) == (f"AK {name}", f"SK {name}", f"token {name}")
    shown = CliRunner().invoke(cli, ["whoami", "--no-check"]).output
    assert [title in line for line in shown.splitlines() if line.startswith("secret_key")] == [True]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (login("argument"), "argument"),
        ({**login("argument"), "profile": "prod"}, "argument"),
        ({"profile": "prod"}, "prod"),
    ],
    ids=["keys", "keys and profile", "profile"],
)
def test_credentials_named_by_argument_come_first(machine: Machine, arguments: dict[str, str], name: str):
    for _, set_up, _ in ORDER:
        set_up(machine)
    machine.settings(profiles={"dev": login("profile"), "prod": login("prod")})

    session = Session(**arguments, project_id=PROJECT, region_name=REGION)

    assert keys_of(session) == (f"AK {name}", f"SK {name}", f"token {name}")


def test_a_settings_file_can_be_an_argument(machine: Machine, tmp_path: Path):
    for _, set_up, _ in ORDER:
        set_up(machine)
    named = machine.write(tmp_path / "config.json", json.dumps({**login("named"), "region_name": "cn-east-3"}))

    session = Session(config_file=str(named), project_id=PROJECT)

    assert keys_of(session)[0] == "AK named"
    assert session.region_name == "cn-east-3"


def test_a_named_settings_file_brings_its_profiles(machine: Machine, tmp_path: Path):
    text = json.dumps({"profiles": {"dev": login("dev"), "prod": login("prod")}, "profile": "dev"})
    named = machine.write(tmp_path / "config.json", text)

    def key(**arguments: str) -> str:
        return keys_of(Session(config_file=named, project_id=PROJECT, region_name=REGION, **arguments))[0]

    assert (key(), key(profile="prod")) == ("AK dev", "AK prod")


def test_a_named_settings_file_must_exist(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.json: No such file"):
        Session(config_file=tmp_path / "nowhere.json")


# --- whole, and never mixed


@pytest.mark.parametrize("lower", ORDER[1:], ids=[row[0] for row in ORDER[1:]])
@pytest.mark.parametrize("part", ["AK", "SK"])
def test_incomplete_credentials_are_not_completed_from_another_source(
    machine: Machine, lower: tuple[str, Callable[[Machine], None], str], part: str
):
    lower[1](machine)
    machine.set(f"HUAWEICLOUD_SDK_{part}", "half")

    with pytest.raises(ConfigError, match="all credentials must come from one source") as caught:
        Session(region_name=REGION, project_id=PROJECT)

    assert "SK" not in re.sub(r"SDK_SK", "", str(caught.value))


def test_the_token_of_other_keys_is_not_sent(machine: Machine, cloud: Cloud):
    by_environment(machine)
    cloud.answer("GET", INFO, {"is_success": True})

    with cloud_session() as session:
        session.client.call("get_training_job_version", {"job_id": 10, "version_id": 20})

    assert "X-Security-Token" not in cloud.requests[0].headers


def test_the_project_of_another_login_is_not_used(machine: Machine, cloud: Cloud):
    by_environment(machine)
    machine.set("HUAWEICLOUD_SDK_PROJECT_ID", OTHER_PROJECT)
    iam_knows(cloud, {"name": REGION, "id": PROJECT})

    assert cloud_session(project_id=None).project_id == PROJECT


def test_the_project_of_the_same_login_is_used(machine: Machine):
    by_environment(machine)
    machine.set("HUAWEICLOUD_SDK_PROJECT_ID", OTHER_PROJECT)

    assert cloud_session(access_key="AK environment", project_id=None).project_id == OTHER_PROJECT


def test_project_and_region_may_come_from_a_source_without_credentials(machine: Machine):
    by_huawei_file(machine)
    machine.settings(project_id=PROJECT, region_name="cn-south-1")

    session = Session()

    assert (session.project_id, session.region_name) == (PROJECT, "cn-south-1")


def test_the_variables_of_a_notebook_are_enough(machine: Machine):
    by_shared_file(machine)
    machine.set("REGION_NAME", "cn-east-3")
    machine.set("PROJECT_ID", PROJECT)

    session = Session()

    assert keys_of(session)[0] == "AK shared"
    assert session.host == "https://modelarts.cn-east-3.myhuaweicloud.com"
    assert session.project_id == PROJECT


@pytest.mark.parametrize("variable", ["AWS_CREDENTIAL_FILE", "AWS_CONFIG_FILE"])
def test_similar_variables_name_a_credentials_file_too(machine: Machine, variable: str):
    by_shared_file(machine)
    machine.set(variable, os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    machine.set("AWS_SHARED_CREDENTIALS_FILE", "")

    assert keys_of(Session(region_name=REGION, project_id=PROJECT))[0] == "AK shared"


def test_keys_of_another_cloud_are_not_used(machine: Machine):
    machine.shared_file(aws_access_key_id="AK", aws_secret_access_key="SK")

    with pytest.raises(ConfigError, match="found no credentials"):
        Session(region_name=REGION, project_id=PROJECT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"access_key": "A", "secret_key": "S", "username": "u", "password": "p"}, "not both"),
        ({"account": "a", "password": "p"}, "username is missing"),
        ({"username": "u"}, "password: missing"),
        ({"security_token": "t"}, "security_token needs access_key and secret_key"),
        ({"app_id": "a"}, "app_id is not supported"),
        ({"app_token": "t"}, "app_token is not supported"),
        ({"w3_account": "w"}, "w3_account is not supported"),
    ],
)
def test_arguments_that_are_not_complete_credentials_are_refused(arguments: dict[str, str], message: str):
    with pytest.raises(ConfigError, match=message):
        Session(**arguments, region_name=REGION, project_id=PROJECT)


@pytest.mark.parametrize("empty", ["", " ", "\r"])
def test_empty_arguments_count_as_left_out(machine: Machine, empty: str):
    by_environment(machine)

    session = Session(empty, empty, PROJECT, REGION, security_token=empty, profile=empty, config_file="")

    assert keys_of(session)[0] == "AK environment"


def test_variables_with_only_a_line_break_are_not_credentials(machine: Machine):
    for name in ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "AWS_SHARED_CREDENTIALS_FILE", "MODELARTS_PROFILE",
                 "HUAWEICLOUD_SDK_CREDENTIALS_FILE"):  # fmt: skip
        machine.set(name, "\r")
    machine.settings(**login("file"))

    assert keys_of(Session(region_name=REGION, project_id=PROJECT))[0] == "AK file"


@pytest.mark.parametrize(("members", "message"), [
    ({"MODELARTS_ACCOUNT": "a", "MODELARTS_PASSWORD": "p"}, "account and password without username"),
    ({"HUAWEICLOUD_SDK_PASSWORD": "p"}, "password without username"),
    ({"HUAWEICLOUD_SDK_SECURITY_TOKEN": "t"}, "security_token without access_key"),
    ({}, "no login"),
])  # fmt: skip
def test_missing_credentials_are_reported_with_their_source(machine: Machine, members: dict[str, str], message: str):
    for name, value in members.items():
        machine.set(name, value)

    with pytest.raises(ConfigError, match=f"\n  - environment: {message}\n"):
        Session()


def test_an_incomplete_password_login_is_shown_as_one(machine: Machine):
    machine.set("MODELARTS_ACCOUNT", "a")
    machine.set("MODELARTS_PASSWORD", "p")

    shown = CliRunner().invoke(cli, ["whoami", "--no-check"]).output

    assert re.search("^username +— +missing$", shown, re.MULTILINE)
    assert "access_key  " not in shown


# --- what is bound to a login


def iam_of(session: Session) -> str:
    return session._services.url("iam")


def test_a_password_is_not_sent_to_the_iam_of_other_keys(machine: Machine):
    machine.huawei_file(ak="OTHER", sk="S", iam_endpoint="iam.other-cloud.example.com")
    machine.set("MODELARTS_USERNAME", "user")
    machine.set("MODELARTS_PASSWORD", "PASSWORD")

    assert iam_of(Session(region_name=REGION, project_id=PROJECT)) == IAM


def test_the_iam_of_a_credentials_file_counts_with_its_keys_or_without_any(machine: Machine):
    machine.huawei_file(ak="A", sk="S", iam_endpoint="iam.x")
    assert iam_of(Session(region_name=REGION, project_id=PROJECT)) == "https://iam.x"

    machine.huawei_file(iam_endpoint="iam.x")
    assert iam_of(cloud_session()) == "https://iam.x"


def test_endpoints_of_our_settings_count_for_all_credentials(machine: Machine):
    """They belong together: one of them alone would lead to another cloud."""
    by_environment(machine)
    machine.set("MODELARTS_IAM_ENDPOINT", "iam.x")
    machine.set("MODELARTS_ENDPOINT", "modelarts.x")

    session = Session(username="user", password="PASSWORD", region_name=REGION, project_id=PROJECT)

    assert (iam_of(session), session.host) == ("https://iam.x", "https://modelarts.x")


# --- profiles


@pytest.mark.parametrize("by", ["argument", "environment MODELARTS_PROFILE", "file"])
def test_an_unknown_profile_is_reported_with_the_known_ones(machine: Machine, by: str):
    by_environment(machine)
    machine.settings(profiles={"dev": {}, "prod": {}}, **({"profile": "de"} if by == "file" else {}))
    if by.startswith("environment"):
        machine.set("MODELARTS_PROFILE", "de")

    with pytest.raises(ConfigError, match="only the profiles dev, prod") as caught:
        Session(project_id=PROJECT, region_name=REGION, **({"profile": "de"} if by == "argument" else {}))

    assert str(caught.value).startswith(f"profile='de' ({by}")


def test_a_profile_may_be_the_default(machine: Machine):
    machine.settings(profile="dev", profiles={"dev": {**login("dev"), "project_id": PROJECT, "region_name": REGION}})

    assert keys_of(Session())[0] == "AK dev"


@pytest.mark.parametrize("profiles", [None, [], {}, {"dev": "text"}])
def test_invalid_profiles_are_reported(machine: Machine, profiles: Any):
    machine.settings(profiles=profiles)

    with pytest.raises(ConfigError, match=r'has (no profiles|no JSON object for it; write {"name": value})$'):
        Session(profile="dev")


# --- local or cloud


def starts_local(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> bool:
    """Whether a session with these arguments would be a local one."""
    started: list[bool] = []
    monkeypatch.setattr(Session, "_start_local", lambda *_: started.append(True))
    monkeypatch.setattr(Session, "_start_cloud", lambda *_: started.append(False))
    Session(**arguments)
    return started[0]


@pytest.mark.parametrize(
    ("arguments", "local"),
    [
        ({}, True),
        ({"region_name": REGION}, True),
        ({"access_key": "A"}, False),
        ({"username": "u"}, False),
        ({"profile": "cloudy"}, False),
        ({"profile": "lonely"}, True),
        ({"profile": "offline"}, True),
        ({"profile": "offline", "access_key": "A"}, False),
    ],
)
def test_only_credentials_named_by_argument_override_the_mode_of_the_file(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str], local: bool
):
    by_environment(machine)
    machine.settings(
        mode="local",
        profiles={"cloudy": login("cloudy"), "lonely": {}, "offline": {**login("offline"), "mode": "local"}},
    )

    assert starts_local(monkeypatch, **arguments) is local


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"access_key": "A", "secret_key": "S", "project_id": PROJECT, "region_name": REGION},
        {"access_key": "填写AK", "username": "and a user", "region_name": "华北"},
        {"account": "a", "username": "u", "password": "SECRET\n", "region_name": REGION},
        {"app_id": "i", "app_token": "t", "w3_account": "w", "w3_password": "p"},
        {"profile": "cloudy"},
        {"config_file": "no such file"},
    ],
)
def test_local_mode_of_the_environment_is_local_whatever_the_script_gives(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str]
):
    by_environment(machine)
    machine.settings(profiles={"cloudy": {**login("cloudy"), "mode": "cloud"}})
    machine.set("MODELARTS_MODE", " Local ")

    assert starts_local(monkeypatch, **arguments)


def test_credentials_that_local_mode_does_not_use_are_reported_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    machine.set("MODELARTS_MODE", "local")
    monkeypatch.setattr(local_mode, "_reported", [])

    for _ in range(2):
        starts_local(monkeypatch, access_key="AK", secret_key="SECRET", region_name=REGION)
        starts_local(monkeypatch, app_id="ID", config_file="no such file")

    assert [record.getMessage() for record in caplog.records] == [
        "MODELARTS_MODE=local: sessions are on this machine, access_key, secret_key of the script are not used"
    ]


def test_a_local_session_needs_no_profile_and_no_credentials(machine: Machine, home: Path):
    machine.set("MODELARTS_PROFILE", "nobody")
    machine.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(home / "typo"))
    broken = machine.write(machine.shared, "[default]\nak = A\nSECRET without a sign\n")
    machine.set("AWS_SHARED_CREDENTIALS_FILE", str(broken))
    machine.set("HTTPS_PROXY", "http://me:SECRET")

    with Session.local(home) as session:
        assert session.client.call("list_job_engines").is_success
