"""What a login leads to: the project of a region, a token for a password."""

from __future__ import annotations

import json

import pytest

from modelarts.errors import AuthError, ConfigError
from modelarts.session import Session
from tests.support.cloud import BASE, PROJECT, Cloud, cloud_session
from tests.support.machine import (
    IAM,
    INFO,
    ORDER,
    OTHER_PROJECT,
    REGION,
    Machine,
    iam_knows,
    iam_lets_in,
    keys_of,
    login,
)


@pytest.mark.parametrize("where", ["argument", "environment", "huawei"])
def test_a_missing_project_is_looked_up_by_region(machine: Machine, cloud: Cloud, where: str):
    arguments = {"access_key": "AK argument", "secret_key": "SK"} if where == "argument" else {}
    if where != "argument":
        {name: set_up for name, set_up, _ in ORDER}[where](machine)
    iam_knows(cloud, {"name": "cn-north-1", "id": OTHER_PROJECT}, {"name": REGION, "id": PROJECT})
    cloud.answer("GET", INFO, {"is_success": True})

    with Session(**arguments, region_name=REGION) as session:
        session.client.call("get_training_job_version", {"job_id": 10, "version_id": 20})

    looked_up, called = cloud.requests
    assert f"Access=AK {where}," in str(looked_up.headers["Authorization"])
    assert "X-Project-Id" not in looked_up.headers
    assert called.headers["X-Project-Id"] == session.project_id == PROJECT


def test_a_region_without_a_project_is_reported(cloud: Cloud):
    iam_knows(cloud, {"name": "cn-north-1", "id": OTHER_PROJECT})

    with pytest.raises(ConfigError, match=r"0 projects named 'cn-north-4'; set project_id"):
        cloud_session(project_id=None)


PASSWORD = {"username": "user", "password": "PASSWORD"}


@pytest.mark.parametrize("account", [None, "company"])
@pytest.mark.parametrize("where", ["argument", "environment", "profile"])
def test_a_password_is_exchanged_for_a_token(machine: Machine, cloud: Cloud, where: str, account: str | None):
    given = {**PASSWORD, **({"account": account} if account else {})}
    if where == "environment":
        for name, value in given.items():
            machine.set(f"MODELARTS_{name.upper()}", value)
    machine.settings(profiles={"dev": given if where == "profile" else {}})
    iam_lets_in(cloud)
    cloud.answer("GET", INFO, {"is_success": True})

    arguments = {"argument": given, "environment": {}, "profile": {"profile": "dev"}}[where]
    with Session(**arguments, region_name=REGION) as session:
        session.client.call("get_training_job_version", {"job_id": 10, "version_id": 20})

    user = json.loads(cloud.requests[0].body or "")["auth"]["identity"]["password"]["user"]
    assert user == {"name": "user", "password": "PASSWORD", "domain": {"name": account or "user"}}
    assert session.project_id == PROJECT
    assert cloud.requests[-1].headers["X-Auth-Token"] == "TOKEN"
    assert str(cloud.requests[-1].url) == f"{BASE}{INFO}"


def test_a_password_session_with_a_project_sends_nothing_before_its_first_call(cloud: Cloud):
    assert Session(**PASSWORD, region_name=REGION, project_id=OTHER_PROJECT).project_id == OTHER_PROJECT


def test_a_wrong_password_is_reported_at_once(cloud: Cloud):
    refusal = {"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}}
    cloud.faked.post(f"{IAM}/v3/auth/tokens", json=refusal, status=401)

    with pytest.raises(AuthError, match="The username or password is wrong") as caught:
        Session(**PASSWORD, region_name=REGION)

    assert "PASSWORD" not in str(caught.value)


def test_keys_are_used_if_a_source_has_a_password_too(machine: Machine):
    machine.settings(**login("file"), **PASSWORD, project_id=PROJECT, region_name=REGION)

    assert keys_of(Session())[0] == "AK file"


@pytest.mark.parametrize("around", ["\r", "\n", " ", "\t\r\n"])
def test_blanks_around_an_account_and_a_user_are_removed(machine: Machine, cloud: Cloud, around: str):
    machine.set("MODELARTS_ACCOUNT", f"company{around}")
    machine.set("MODELARTS_USERNAME", f"{around}user{around}")
    machine.set("MODELARTS_PASSWORD", " PASSWORD ")
    iam_lets_in(cloud)

    Session(region_name=REGION)

    user = json.loads(cloud.requests[0].body or "")["auth"]["identity"]["password"]["user"]
    assert user == {"name": "user", "password": " PASSWORD ", "domain": {"name": "company"}}


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_line_break_at_the_end_of_a_password_is_reported(machine: Machine, end: str):
    machine.set("MODELARTS_USERNAME", "user")
    machine.set("MODELARTS_PASSWORD", f"PASSWORD{end}")

    with pytest.raises(ConfigError, match=r"^password=\*\*\*\* \(.*\): write it without the line break at its end$"):
        Session(region_name=REGION)


@pytest.mark.parametrize("setting", ["access_key", "secret_key", "security_token"])
def test_keys_that_cannot_be_sent_are_reported_and_a_line_break_at_their_end_is_removed(setting: str):
    login = {"access_key": "AK", "secret_key": "SECRET", "security_token": "SECRET", "project_id": PROJECT}

    keys = Session(**{**login, setting: f"{login[setting]}\n"}, region_name=REGION).client.endpoint.auth.keys()
    assert getattr(keys, setting) == login[setting]
    with pytest.raises(ConfigError, match=rf"{setting}=.* \(argument\): write it without line breaks") as caught:
        Session(**{**login, setting: "SECRET\nSECRET"}, region_name=REGION)
    assert "SECRET" not in str(caught.value) or setting == "access_key"


def test_scripts_read_keys_and_addresses_of_a_session(cloud: Cloud):
    session = cloud_session(security_token="TOKEN")

    assert (session.auth.access_key, session.auth.secret_key, session.auth.security_token) == ("AK", "SK", "TOKEN")
    assert (session.access_key, session.secret_key) == ("AK", "SK")
    assert session.auth.iam_server == session.iam_server == IAM
    assert session.auth.obs_server == session.obs_server == f"https://obs.{REGION}.myhuaweicloud.com"
    assert "SK" not in repr(session.auth)


def test_a_password_session_has_temporary_keys_to_read(cloud: Cloud):
    iam_lets_in(cloud)
    keys = {"access": "AK", "secret": "SK", "securitytoken": "T", "expires_at": "2099-01-01T00:00:00.000000Z"}
    cloud.faked.post(f"{IAM}/v3.0/OS-CREDENTIAL/securitytokens", json={"credential": keys}, status=201)

    session = Session(username="u", password="p", region_name=REGION)

    assert (session.auth.access_key, session.auth.secret_key, session.auth.security_token) == ("AK", "SK", "T")
