"""Who you are comes whole from one place, in one order, and follows a file that changes."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.cloud import BASE, PROJECT, Cloud, cloud_session

from modelarts._auth import Keys
from modelarts.cli.main import cli
from modelarts.errors import ApiError, AuthError, ConfigError
from modelarts.session import Session

REGION = "cn-north-4"
IAM = f"https://iam.{REGION}.myhuaweicloud.com"
INFO = "/training-jobs/10/versions/20"
OTHER_PROJECT = "q" * 32


class Machine:
    """A user's files and variables."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.set = monkeypatch.setenv
        self.home = tmp_path / "user home"
        self.config = self.home / ".modelarts" / "config.json"
        self.huawei = self.home / ".huaweicloud" / "credentials"
        self.shared = tmp_path / "shared credentials"

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def settings(self, **members: Any) -> None:
        """Add to `config.json`."""
        before = json.loads(self.config.read_text()) if self.config.exists() else {}
        self.write(self.config, json.dumps({**before, **members}))

    def huawei_file(self, **members: str) -> None:
        self.write(self.huawei, ini("basic", members))

    def shared_file(self, **members: str) -> None:
        self.set("AWS_SHARED_CREDENTIALS_FILE", str(self.write(self.shared, ini("default", members))))


def ini(section: str, members: dict[str, str]) -> str:
    return f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in members.items())


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def keys_of(session: Session) -> tuple[str, str, str]:
    keys = session.client.endpoint.auth.keys()
    return keys.access_key, keys.secret_key, keys.security_token


# --- one order


def by_environment(machine: Machine) -> None:
    machine.set("HUAWEICLOUD_SDK_AK", "AK environment")
    machine.set("HUAWEICLOUD_SDK_SK", "SK environment")
    machine.set("HUAWEICLOUD_SDK_SECURITY_TOKEN", "token environment")


def by_shared_file(machine: Machine) -> None:
    machine.shared_file(access_key_id="AK shared", secret_access_key="SK shared", security_token="token shared")


def by_huawei_file(machine: Machine) -> None:
    machine.huawei_file(ak="AK huawei", sk="SK huawei", security_token="token huawei")


def login(name: str) -> dict[str, str]:
    return {"access_key": f"AK {name}", "secret_key": f"SK {name}", "security_token": f"token {name}"}


def by_profile(machine: Machine) -> None:
    machine.settings(profiles={"dev": login("profile")})
    machine.set("MODELARTS_PROFILE", "dev")


def by_file(machine: Machine) -> None:
    machine.settings(**login("file"))


# From the first to the last: how it is set up, and what `whoami` calls it.
ORDER: list[tuple[str, Callable[[Machine], None], str]] = [
    ("environment", by_environment, "environment HUAWEICLOUD_SDK_SK"),
    ("shared", by_shared_file, "shared credentials"),
    ("huawei", by_huawei_file, ".huaweicloud/credentials"),
    ("profile", by_profile, "profile 'dev' of"),
    ("file", by_file, ".modelarts/config.json"),
]


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[row[0] for row in ORDER])
def test_the_first_place_that_has_a_login_gives_all_of_it(machine: Machine, first: int):
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
def test_what_is_asked_for_by_argument_comes_before_all_else(machine: Machine, arguments: dict[str, str], name: str):
    for _, set_up, _ in ORDER:
        set_up(machine)
    machine.settings(profiles={"dev": login("profile"), "prod": login("prod")})

    session = Session(**arguments, project_id=PROJECT, region_name=REGION)

    assert keys_of(session) == (f"AK {name}", f"SK {name}", f"token {name}")


def test_a_settings_file_may_be_named(machine: Machine, tmp_path: Path):
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


def test_a_named_settings_file_must_be_there(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.json: No such file"):
        Session(config_file=tmp_path / "nowhere.json")


# --- whole, and never mixed


@pytest.mark.parametrize("lower", ORDER[1:], ids=[row[0] for row in ORDER[1:]])
@pytest.mark.parametrize("part", ["AK", "SK"])
def test_half_a_login_is_refused_and_never_completed_from_another_place(
    machine: Machine, lower: tuple[str, Callable[[Machine], None], str], part: str
):
    lower[1](machine)
    machine.set(f"HUAWEICLOUD_SDK_{part}", "half")

    with pytest.raises(ConfigError, match="a login is not put together of parts") as caught:
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


def test_project_and_region_may_come_from_a_place_without_a_login(machine: Machine):
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
def test_relatives_of_that_variable_name_a_credentials_file_too(machine: Machine, variable: str):
    by_shared_file(machine)
    machine.set(variable, os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    machine.set("AWS_SHARED_CREDENTIALS_FILE", "")

    assert keys_of(Session(region_name=REGION, project_id=PROJECT))[0] == "AK shared"


def test_keys_for_another_cloud_are_not_taken(machine: Machine):
    machine.shared_file(aws_access_key_id="AK", aws_secret_access_key="SK")

    with pytest.raises(ConfigError, match="found no credentials"):
        Session(region_name=REGION, project_id=PROJECT)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"access_key": "A", "secret_key": "S", "username": "u", "password": "p"}, "not both"),
        ({"account": "a", "password": "p"}, "username is missing"),
        ({"username": "u"}, "password: missing"),
        ({"security_token": "t"}, "security_token goes with access_key and secret_key"),
        ({"app_id": "a"}, "app_id is not supported"),
        ({"app_token": "t"}, "app_token is not supported"),
        ({"w3_account": "w"}, "w3_account is not supported"),
    ],
)
def test_arguments_that_make_no_login_are_refused(arguments: dict[str, str], told: str):
    with pytest.raises(ConfigError, match=told):
        Session(**arguments, region_name=REGION, project_id=PROJECT)


def test_empty_arguments_count_as_left_out(machine: Machine):
    by_environment(machine)

    session = Session("", "", PROJECT, REGION, security_token="", profile="", config_file="")

    assert keys_of(session)[0] == "AK environment"


# --- the file of Huawei's general SDK


def test_the_file_of_the_general_sdk_is_read_as_it_is_documented(machine: Machine):
    basic = ini("basic", {"ak": "A", "sk": "S%%(x)s=", "project_id": PROJECT, "iam_endpoint": "i.x"})
    machine.write(machine.huawei, "\ufeff[global]\nak: wrong\n" + basic)

    session = Session(region_name=REGION)

    assert keys_of(session) == ("A", "S%%(x)s=", "")
    assert session.project_id == PROJECT
    assert session._services.url("iam") == "https://i.x"


def test_the_file_of_the_general_sdk_may_be_moved(machine: Machine, tmp_path: Path):
    by_huawei_file(machine)
    moved = machine.huawei.rename(tmp_path / "moved")
    machine.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(moved))

    assert keys_of(Session(region_name=REGION, project_id=PROJECT))[0] == "AK huawei"


BROKEN = ["[basic]\nak = A\nSECRET without a sign\n", "ak = A\nsk = SECRET\n", "[basic]\nak = A\nak = SECRET\n"]


@pytest.mark.parametrize("text", BROKEN, ids=["no option", "no section", "twice"])
def test_a_broken_credentials_file_is_named_with_its_line_but_not_shown(machine: Machine, text: str):
    machine.write(machine.huawei, text)

    with pytest.raises(ConfigError, match=rf"{machine.huawei}: line \d cannot be read; correct it") as caught:
        Session()

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("unreadable", ["folder", "bytes"])
def test_a_credentials_file_that_cannot_be_read_is_named(machine: Machine, unreadable: str):
    if unreadable == "folder":
        machine.huawei.mkdir(parents=True)
    else:
        machine.write(machine.huawei, "").write_bytes(b"\xff\xfe[basic]")

    with pytest.raises(ConfigError, match=rf"{machine.huawei}.*correct it"):
        Session()


def test_a_broken_file_does_not_matter_where_an_earlier_place_gives_the_login(machine: Machine, home: Path):
    machine.write(machine.huawei, BROKEN[0])

    assert keys_of(cloud_session())[0] == "AK"
    assert CliRunner().invoke(cli, ["config", "show"]).exit_code == 0


# --- profiles


def test_a_profile_may_be_the_usual_one(machine: Machine):
    machine.settings(profile="dev", profiles={"dev": {**login("dev"), "project_id": PROJECT, "region_name": REGION}})

    assert keys_of(Session())[0] == "AK dev"


@pytest.mark.parametrize("by", ["argument", "environment MODELARTS_PROFILE", "file"])
def test_an_unknown_profile_is_told_with_the_known_ones(machine: Machine, by: str):
    by_environment(machine)
    machine.settings(profiles={"dev": {}, "prod": {}}, **({"profile": "de"} if by == "file" else {}))
    if by.startswith("environment"):
        machine.set("MODELARTS_PROFILE", "de")

    with pytest.raises(ConfigError, match="only the profiles dev, prod") as caught:
        Session(project_id=PROJECT, region_name=REGION, **({"profile": "de"} if by == "argument" else {}))

    assert str(caught.value).startswith(f"profile='de' ({by}")


@pytest.mark.parametrize("profiles", [None, [], {}, {"dev": "text"}])
def test_profiles_that_are_none_are_told(machine: Machine, profiles: Any):
    machine.settings(profiles=profiles)

    with pytest.raises(ConfigError, match=r"has (no profiles|only the profiles dev)"):
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
def test_local_mode_gives_way_only_to_a_login_that_is_asked_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str], local: bool
):
    by_environment(machine)
    machine.settings(
        profile="cloudy",
        profiles={"cloudy": login("cloudy"), "lonely": {}, "offline": {**login("offline"), "mode": "local"}},
    )
    machine.set("MODELARTS_MODE", "local")

    assert starts_local(monkeypatch, **arguments) is local


def test_a_local_session_needs_no_profile_and_no_credentials(machine: Machine, home: Path):
    machine.set("MODELARTS_PROFILE", "nobody")
    machine.write(machine.huawei, BROKEN[0])

    with Session.local(home) as session:
        assert session.client.call("list_job_engines").is_success


# --- the project, and logins by password


def iam_knows(cloud: Cloud, *projects: dict[str, str]) -> None:
    cloud.faked.get(f"{IAM}/v3/projects?name={REGION}", json={"projects": projects})


def iam_lets_in(cloud: Cloud, project: str = PROJECT) -> None:
    body = {"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "project": {"id": project}}}
    cloud.faked.post(f"{IAM}/v3/auth/tokens", json=body, status=201, headers={"X-Subject-Token": "TOKEN"})


@pytest.mark.parametrize("where", ["argument", "environment", "huawei"])
def test_a_project_that_is_left_out_is_looked_up_by_region(machine: Machine, cloud: Cloud, where: str):
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


def test_a_region_without_a_project_is_told(cloud: Cloud):
    iam_knows(cloud, {"name": "cn-north-1", "id": OTHER_PROJECT})

    with pytest.raises(ConfigError, match=r"0 projects named 'cn-north-4'; give project_id"):
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


def test_with_a_project_a_password_session_asks_nobody_before_its_first_call(cloud: Cloud):
    assert Session(**PASSWORD, region_name=REGION, project_id=OTHER_PROJECT).project_id == OTHER_PROJECT


def test_a_wrong_password_is_told_at_once(cloud: Cloud):
    refusal = {"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}}
    cloud.faked.post(f"{IAM}/v3/auth/tokens", json=refusal, status=401)

    with pytest.raises(AuthError, match="The username or password is wrong") as caught:
        Session(**PASSWORD, region_name=REGION)

    assert "PASSWORD" not in str(caught.value)


def test_keys_count_where_a_place_has_a_password_too(machine: Machine):
    machine.settings(**login("file"), **PASSWORD, project_id=PROJECT, region_name=REGION)

    assert keys_of(Session())[0] == "AK file"


# --- files that change


@pytest.fixture
def session_of_file(machine: Machine) -> Session:
    machine.huawei_file(ak="A1", sk="S1", security_token="T1", project_id=PROJECT)
    return Session(region_name=REGION)


def ask(session: Session) -> None:
    session.client.call("get_training_job_version", {"job_id": 10, "version_id": 20})


def senders(cloud: Cloud) -> list[tuple[str, str]]:
    """Access key and token of each request."""
    found = (re.search(r"Access=(\w+),", str(request.headers["Authorization"])) for request in cloud.requests)
    tokens = [request.headers.get("X-Security-Token", "") for request in cloud.requests]
    return [(match[1] if match else "", token) for match, token in zip(found, tokens)]


def test_new_keys_in_the_file_are_used_from_the_next_request_on(
    machine: Machine, cloud: Cloud, session_of_file: Session
):
    cloud.answer("GET", INFO, {"is_success": True})
    ask(session_of_file)

    machine.huawei_file(ak="A2", sk="S2", security_token="T2")
    ask(session_of_file)

    assert senders(cloud) == [("A1", "T1"), ("A2", "T2")]
    assert keys_of(session_of_file) == ("A2", "S2", "T2")
    assert cloud.requests[1].headers["X-Project-Id"] == PROJECT


def test_keys_of_a_profile_follow_their_file(machine: Machine, cloud: Cloud):
    machine.settings(profiles={"dev": {"access_key": "A1", "secret_key": "S1"}})
    session = Session(profile="dev", region_name=REGION, project_id=PROJECT)

    machine.settings(profiles={"dev": {"access_key": "A2", "secret_key": "S2"}, "prod": {}})

    assert keys_of(session) == ("A2", "S2", "")


def test_a_refused_login_is_tried_again_with_what_the_file_holds_now(
    machine: Machine, cloud: Cloud, session_of_file: Session
):
    stamp = machine.huawei.stat()
    cloud.answer("GET", INFO, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM information"}, 401)
    cloud.answer("GET", INFO, {"is_success": True})

    text = machine.huawei.read_text().replace("A1", "A2").replace("S1", "S2").replace("T1", "T2")
    machine.huawei.write_text(text)
    os.utime(machine.huawei, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # a change that cannot be seen
    ask(session_of_file)

    assert senders(cloud) == [("A1", "T1"), ("A2", "T2")]


def test_a_refused_login_is_not_tried_twice_with_the_same_keys(cloud: Cloud, session_of_file: Session):
    cloud.answer("GET", INFO, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM information"}, 401)

    with pytest.raises(AuthError):
        ask(session_of_file)

    assert len(cloud.requests) == 1


def test_while_the_file_is_written_the_keys_before_go_on(
    machine: Machine, cloud: Cloud, session_of_file: Session, caplog: pytest.LogCaptureFixture
):
    cloud.answer("GET", INFO, {"is_success": True})

    for text in ("[basic]\nak = A2\n", "[basic]\nak = A2\nSEC", ""):
        machine.write(machine.huawei, text)
        ask(session_of_file)
    machine.huawei.unlink()
    ask(session_of_file)
    machine.huawei_file(ak="A2", sk="S2")
    ask(session_of_file)

    assert senders(cloud) == [("A1", "T1")] * 4 + [("A2", "")]
    assert caplog.text.count("going on with the keys that were read before") == 4
    assert "SEC" not in caplog.text


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
    machine.set("HTTPS_PROXY", "http://user:SECRET/URL@proxy.example.com")
    iam_knows(cloud, {"name": REGION, "id": PROJECT})
    cloud.answer("GET", "/job/ai-engines", {"error_code": "ModelArts.0010", "error_msg": "no"}, 400)
    cloud.answer("GET", INFO, {"error_code": "APIGW.0301", "error_msg": "no"}, 401)

    with caplog.at_level(logging.DEBUG):
        outputs = [CliRunner().invoke(cli, command) for command in (["whoami"], ["config", "show"])]
        session = Session()
        with pytest.raises(AuthError) as caught:
            ask(session)
    said = [result.output + repr(result.exception) for result in outputs]
    shown = [session, session.client.endpoint, session.client.endpoint.auth, session._services, caught.value]

    assert isinstance(outputs[0].exception, ApiError)
    assert "****" in said[0]
    assert "****" in said[1]
    assert [text for text in (*said, *map(repr, shown), *map(str, shown), caplog.text) if "SECRET" in text] == []


def test_no_secret_of_a_password_session_is_shown(cloud: Cloud, caplog: pytest.LogCaptureFixture):
    iam_lets_in(cloud)

    with caplog.at_level(logging.DEBUG):
        session = Session(username="user", password=SECRETS["password"], region_name=REGION)

    shown = [session, session.client.endpoint, session.client.endpoint.auth]
    assert [text for text in (*map(repr, shown), caplog.text) if "SECRET" in text or "TOKEN" in text] == []


@pytest.mark.parametrize("set_up", [by_shared_file, by_huawei_file, by_profile, by_file])
@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o640, True), (0o604, True), (0o400, False)])
def test_a_file_with_credentials_that_others_can_read_is_warned_of_once(
    machine: Machine, caplog: pytest.LogCaptureFixture, set_up: Callable[[Machine], None], mode: int, warns: bool
):
    set_up(machine)
    (file,) = [path for path in (machine.shared, machine.huawei, machine.config) if path.exists()]
    file.chmod(mode)

    for _ in range(3):
        Session(region_name=REGION, project_id=PROJECT)

    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == ([f"{file} holds credentials and others can read it: run chmod 600 {file}"] if warns else [])


def test_a_file_without_credentials_may_be_read_by_all(machine: Machine, caplog: pytest.LogCaptureFixture):
    machine.settings(region_name=REGION)
    machine.config.chmod(0o644)

    cloud_session()

    assert caplog.text == ""


def test_keys_show_only_the_access_key():
    assert repr(Keys("AK", "SECRET", "SECRET")) == "Keys(access_key='AK')"


def test_an_endpoint_takes_no_login_and_does_not_show_it(machine: Machine):
    machine.set("MODELARTS_ENDPOINT", "https://user:SECRET@modelarts.example.com")

    with pytest.raises(ConfigError, match=r"modelarts_endpoint='https://\*\*\*\*@modelarts.example.com' .*: write it"):
        Session()
    with pytest.raises(ConfigError, match=r"'https://\*\*\*\*@iam.example.com' \(argument\): write it without"):
        Session.set_endpoint("https://user:SECRET@iam.example.com", "obs", "modelarts", "eu-de")


@pytest.mark.parametrize("setting", ["access_key", "secret_key", "security_token"])
def test_keys_that_cannot_be_sent_are_told_and_a_line_break_at_their_end_does_not_matter(setting: str):
    login = {"access_key": "AK", "secret_key": "SECRET", "security_token": "SECRET", "project_id": PROJECT}

    keys = Session(**{**login, setting: f"{login[setting]}\n"}, region_name=REGION).client.endpoint.auth.keys()
    assert getattr(keys, setting) == login[setting]
    with pytest.raises(ConfigError, match=rf"{setting}=.* \(argument\): write it without line breaks") as caught:
        Session(**{**login, setting: "SECRET\nSECRET"}, region_name=REGION)
    assert "SECRET" not in str(caught.value) or setting == "access_key"
