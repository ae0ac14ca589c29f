"""Settings come from the argument, the environment, the file or the default, in that order, and say from where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelarts import _config
from modelarts._config import SETTINGS, resolve, value_of
from modelarts._sending import Sending
from modelarts.errors import ConfigError
from modelarts.session import Session
from tests.support.certificates import make_certificate
from tests.support.cloud import PROJECT, cloud_session

REGIONS = ("cn-north-1", "cn-north-4", "cn-east-3", "cn-south-1")

HERE = str(Path(__file__).parent)

# Of each setting: four values as an argument, an environment variable and a file give them, and what they mean.
EXAMPLES: dict[str, list[tuple[Any, Any]]] = {
    "mode": [("local", "local"), ("cloud", "cloud"), (" LOCAL ", "local")],
    **{name: [("A", "A"), ("B", "B"), ("C", "C")]
       for name in ("access_key", "secret_key", "security_token", "account", "username", "password",
                    "project_id", "region_name")},
    "lang": [("zh", "zh"), ("zh_CN.UTF-8", "zh"), (" EN", "en")],
    **{name: [("a.example.com", "https://a.example.com"), ("HTTP://b/", "http://b"), ("c:8443", "https://c:8443")]
       for name in ("modelarts_endpoint", "iam_endpoint", "obs_endpoint")},
    **{name: [(True, True), ("0", False), (True, True)] for name in ("strict", "verify")},
    "proxy": [("proxy.example.com:3128", "http://proxy.example.com:3128"), ("None", "none"), ("https://p", "https://p")],
    "ca_bundle": [(__file__, __file__), (HERE, HERE), (__file__, __file__)],
    "client_cert": [(__file__, __file__), (f"{__file__},{HERE}", (__file__, HERE)),
                    ([__file__, HERE], (__file__, HERE))],
    **{name: [(1, 1.0), ("2.5", 2.5), (30, 30.0)]
       for name in ("connect_timeout", "read_timeout", "total_timeout", "catalog_lifetime",
                    "local_idle_timeout")},
    "local_port": [(1, 1), ("8080", 8080), (65535, 65535)],
    **{name: [(1, 1), ("300", 300), (64, 64)] for name in ("code_limit", "data_limit")},
    "local_capacity": [(1, 1), ("2", 2), (64, 64)],
    "local_python": [({"PyTorch": "/a"}, {"PyTorch": "/a"}), ('{"PyTorch": "/b"}', {"PyTorch": "/b"}), ({}, {})],
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The settings file of the temporary home."""
    path = tmp_path / "user home" / ".modelarts" / "config.json"
    path.parent.mkdir()
    return path


def write(file: Path, **settings: Any) -> None:
    file.write_text(json.dumps(settings), encoding="utf-8")


# --- the order


def test_every_setting_has_an_example():
    assert {setting.name for setting in SETTINGS} == {*EXAMPLES, "profile"}


@pytest.mark.parametrize("setting", [row for row in SETTINGS if row.name in EXAMPLES], ids=lambda row: row.name)
def test_an_argument_beats_the_environment_that_the_file_that_the_default(
    monkeypatch: pytest.MonkeyPatch, file: Path, setting: _config.Setting
):
    (argument, meant), (variable, in_environment), (stored, in_file) = EXAMPLES[setting.name]
    monkeypatch.setenv("LC_ALL", "C")

    found = resolve()[setting.name]
    default = ("en", "locale") if setting.name == "lang" else (setting.default, "default")
    assert (found.value, found.source) == default

    write(file, **{setting.name: stored})
    found = resolve()[setting.name]
    assert (found.value, found.source) == (in_file, f"file {file}")
    assert value_of(setting.name) == in_file

    monkeypatch.setenv(setting.env[-1], variable)
    found = resolve()[setting.name]
    assert (found.value, found.source) == (in_environment, f"environment {setting.env[-1]}")
    assert value_of(setting.name) == in_environment

    found = resolve({setting.name: argument})[setting.name]
    assert (found.value, found.source) == (meant, "argument")


@pytest.mark.parametrize("setting", [row for row in SETTINGS if len(row.env) > 1], ids=lambda setting: setting.name)
def test_the_first_of_several_variables_wins(monkeypatch: pytest.MonkeyPatch, setting: _config.Setting):
    for number, variable in enumerate(setting.env):
        monkeypatch.setenv(variable, f"value-{number}")

    assert resolve()[setting.name].value in ("value-0", "https://value-0")


def test_an_empty_variable_counts_as_missing(monkeypatch: pytest.MonkeyPatch, file: Path):
    write(file, region_name="cn-east-3")
    monkeypatch.setenv("REGION_NAME", "")

    assert resolve()["region_name"].value == "cn-east-3"


def test_a_profile_gives_any_setting_and_leaves_the_rest_to_the_file(file: Path):
    write(file, read_timeout=7, strict=True, profile="slow", profiles={"slow": {"read_timeout": 90}})

    settings = resolve()

    assert (settings["read_timeout"].value, settings["read_timeout"].source) == (90.0, f"profile 'slow' of {file}")
    assert settings["strict"].value is True
    assert value_of("read_timeout") == 90.0


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB"}, "en"),
        ({"LANG": "en_GB", "LC_ALL": "zh_TW"}, "zh"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str):
    for name in ("LANG", "LC_MESSAGES", "LC_ALL"):
        monkeypatch.setenv(name, variables.get(name, ""))

    assert resolve()["lang"].value == language


def test_the_variables_are_read_when_a_session_is_made_not_at_import(monkeypatch: pytest.MonkeyPatch):
    for name, value in (("AK", "A"), ("SK", "S"), ("PROJECT_ID", PROJECT)):
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", value)
    monkeypatch.setenv("S3_REGION", "cn-south-1")

    session = Session()

    assert (session.project_id, session.region_name) == (PROJECT, "cn-south-1")
    assert session.host == "https://modelarts.cn-south-1.myhuaweicloud.com"


def test_a_login_may_come_from_several_places(monkeypatch: pytest.MonkeyPatch, file: Path):
    write(file, access_key="A", secret_key="S", region_name="cn-north-1")
    monkeypatch.setenv("PROJECT_ID", PROJECT)

    session = Session(region_name="cn-east-3")

    assert (session.project_id, session.region_name) == (PROJECT, "cn-east-3")


def test_modelarts_home_moves_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path))
    write(tmp_path / "config.json", region_name="cn-east-3")

    found = resolve()["region_name"]

    assert (found.value, found.source) == ("cn-east-3", f"file {tmp_path / 'config.json'}")


# --- what is missing or wrong


def test_a_session_with_nothing_says_where_it_looked_and_how_to_go_local(file: Path):
    with pytest.raises(ConfigError) as caught:
        Session()

    text = str(caught.value)
    looked_at = ["arguments", "environment", "AWS_SHARED_CREDENTIALS_FILE", "/.huaweicloud/credentials", str(file)]
    assert sorted(looked_at, key=text.index) == looked_at
    assert "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK" in text
    assert "Session.local()" in text
    assert "MODELARTS_MODE=local" in text
    assert isinstance(caught.value, ValueError)


def test_an_incomplete_login_says_what_was_found_and_where(monkeypatch: pytest.MonkeyPatch, file: Path):
    write(file, access_key="B", secret_key="SECRET2", project_id=PROJECT)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "SECRET")

    with pytest.raises(ConfigError) as caught:
        Session(access_key="A")

    text = str(caught.value)
    assert "access_key: found (argument)" in text
    assert "secret_key: missing: give it where access_key is" in text
    assert "region_name: missing: argument, HUAWEICLOUD_SDK_REGION or REGION_NAME or S3_REGION" in text
    assert "SECRET" not in text


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"\xff\xfe{}", b""])
def test_a_broken_file_is_named(file: Path, content: bytes):
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=r"correct it or remove it|it holds no JSON object") as caught:
        Session()

    assert str(file) in str(caught.value)


def test_a_file_that_is_a_folder_is_named(file: Path):
    file.mkdir()

    with pytest.raises(ConfigError, match="correct it or remove it"):
        Session()


WRONG: list[tuple[str, str, str]] = [
    ("strict", "perhaps", "write 1 or 0, true or false"),
    ("connect_timeout", "0", "write a number of seconds above 0"),
    ("read_timeout", "nan", "write a number of seconds above 0"),
    ("read_timeout", "soon", "write a number of seconds above 0"),
    ("read_timeout", "inf", "write a number of seconds above 0 and up to 31622400"),
    ("proxy", "socks5://a:1", "write the URL of an HTTP proxy, such as http://proxy.example.com:3128, or none"),
    ("proxy", "a b", "write the URL of an HTTP proxy"),
    ("project_id", "项目", "write it without line breaks and characters that are not ASCII"),
    ("catalog_lifetime", "-1", "write a number of seconds above 0"),
    ("total_timeout", "0", "write a number of seconds above 0"),
    ("mode", "here", "write local or cloud"),
    ("lang", "fr", "write en or zh"),
    ("verify", "perhaps", "write 1 or 0, true or false"),
    ("ca_bundle", "/not/there.pem", "there is no /not/there.pem"),
    ("client_cert", "/not/there.pem", "there is no /not/there.pem"),
    ("client_cert", "a,b,c", "write one file that holds certificate and key, or two"),
    *((f"{service}_endpoint", value, "write a host such as modelarts.example.com, or its URL")
      for service in ("modelarts", "iam", "obs")
      for value in ("https://", "a b.example.com", "https://x:port", "https://x/?a=b", "ftp://x")),
    ("local_port", "65536", "write a port from 1 to 65535, or 0"),
    ("local_capacity", "0", "write a whole number from 1"),
    ("local_python", "[]", "write a JSON object such as"),
    ("local_python", "{", "Expecting property name"),
]  # fmt: skip


@pytest.mark.parametrize("where", ["environment", "file"])
@pytest.mark.parametrize(("name", "value", "rule"), WRONG)
def test_a_wrong_value_is_told_with_its_place_and_the_rule(
    monkeypatch: pytest.MonkeyPatch, file: Path, name: str, value: str, rule: str, where: str
):
    variable, *_ = next(setting.env for setting in SETTINGS if setting.name == name)
    if where == "file":
        write(file, **{name: value})
    else:
        monkeypatch.setenv(variable, value)
    place = f"file {file}" if where == "file" else f"environment {variable}"

    with pytest.raises(ConfigError) as caught:
        Session()

    assert str(caught.value).startswith(f"{name}={value!r} ({place}): ")
    assert rule in str(caught.value)


def test_a_wrong_secret_is_masked():
    class Broken:
        def __str__(self) -> str:
            raise ValueError("no text")

        def __repr__(self) -> str:
            return "SECRET"

    with pytest.raises(ConfigError, match=r"secret_key=\*\*\*\* \(argument\): no text"):
        resolve({"secret_key": Broken()})


# --- regions and endpoints

ENDPOINTS = {"modelarts": "MODELARTS_ENDPOINT", "iam": "MODELARTS_IAM_ENDPOINT", "obs": "MODELARTS_OBS_ENDPOINT"}


@pytest.fixture(autouse=True)
def endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints given in a test are forgotten after it."""
    monkeypatch.setattr(Session, "_endpoints", {})


def used(session: Session) -> dict[str, str]:
    """The endpoints of a session."""
    return {service: session._services.url(service) for service in ENDPOINTS}


@pytest.mark.parametrize("region", REGIONS)
def test_a_documented_region_has_its_endpoints(region: str):
    session = cloud_session(region_name=region)

    assert session.host == f"https://modelarts.{region}.myhuaweicloud.com"
    assert used(session) == {service: f"https://{service}.{region}.myhuaweicloud.com" for service in ENDPOINTS}


def test_an_unknown_region_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="region_name='cn-north-9' is unknown") as caught:
        cloud_session(region_name="cn-north-9")

    assert all(region in str(caught.value) for region in REGIONS)
    assert "Session.set_endpoint(…) first" in str(caught.value)
    assert "MODELARTS_ENDPOINT" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("modelarts.example.com", "https://modelarts.example.com"),
        ("https://modelarts.example.com/", "https://modelarts.example.com"),
        ("http://10.0.0.1:8443", "http://10.0.0.1:8443"),
    ],
)
@pytest.mark.parametrize("region", ["eu-de", "cn-north-4"])
def test_given_endpoints_hold_for_their_region(region: str, given: str, host: str):
    Session.set_endpoint(
        iam_endpoint="iam.example.com", obs_endpoint="obs.example.com", modelarts_endpoint=given, region_name=region
    )

    assert used(cloud_session(region_name=region)) == {
        "modelarts": host, "iam": "https://iam.example.com", "obs": "https://obs.example.com",
    }  # fmt: skip
    assert cloud_session(region_name="cn-north-1").host == "https://modelarts.cn-north-1.myhuaweicloud.com"


@pytest.mark.parametrize("region", ["eu-de", "cn-north-4"])
@pytest.mark.parametrize("where", ["environment", "file"])
def test_endpoints_may_come_from_settings(monkeypatch: pytest.MonkeyPatch, file: Path, region: str, where: str):
    given = {service: f"{service}.example.com" for service in ENDPOINTS}
    if where == "file":
        write(file, **{f"{service}_endpoint": host for service, host in given.items()})
    else:
        for service, host in given.items():
            monkeypatch.setenv(ENDPOINTS[service], host)

    assert used(cloud_session(region_name=region)) == {service: f"https://{host}" for service, host in given.items()}

    Session.set_endpoint("iam.x", "obs.x", "modelarts.x", region)
    assert cloud_session(region_name=region).host == "https://modelarts.x"


def test_an_endpoint_that_is_not_known_is_missed_only_when_it_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_ENDPOINT", "modelarts.example.com")

    assert cloud_session(region_name="eu-de").host == "https://modelarts.example.com"
    with pytest.raises(ConfigError, match=r"iam_endpoint is missing.*MODELARTS_IAM_ENDPOINT"):
        cloud_session(region_name="eu-de", project_id="")


def test_a_wrong_endpoint_is_refused_where_it_is_given():
    with pytest.raises(ConfigError, match=r"iam_endpoint='a b' \(argument\): write a host"):
        Session.set_endpoint("a b", "obs.example.com", "modelarts.example.com", "eu-de")


# --- sending


def test_a_session_sends_as_its_settings_say(monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path):
    pem = str(make_certificate(tmp_path / "mine.pem"))
    write(file, connect_timeout=1, read_timeout=2, total_timeout=3, ca_bundle=HERE, client_cert=pem, proxy="p:3128")
    sending = cloud_session().client.transport.sending

    assert sending == Sending(1, 2, 3, HERE, pem, {"all": "http://p:3128"})

    monkeypatch.setenv("MODELARTS_VERIFY", "off")
    assert cloud_session().client.transport.sending.verify is False


def test_without_settings_the_usual_certificates_are_trusted_and_there_is_no_proxy():
    sending = cloud_session().client.transport.sending

    assert sending == Sending(10, 60, 300, True, None, {"no": ""})
    assert sending.proxy_for("https://modelarts.example.com") is None


def test_a_session_may_have_time_outs_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "7")

    sending = cloud_session(connect_timeout=1, total_timeout="3").client.transport.sending

    assert (sending.connect_timeout, sending.read_timeout, sending.total_timeout) == (1, 7, 3)
    with pytest.raises(ConfigError, match=r"read_timeout=-1 \(argument\): write a number of seconds above 0"):
        cloud_session(read_timeout=-1)
    with pytest.raises(ConfigError, match=r"connect_timeout=0 \(argument\)"), cloud_session().deadline(connect=0):
        pass


NO_CERTIFICATE = ["not a certificate", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]


@pytest.mark.parametrize("setting", ["ca_bundle", "client_cert"])
@pytest.mark.parametrize("text", NO_CERTIFICATE)
def test_a_file_without_certificates_is_told_when_the_session_is_made(file: Path, setting: str, text: str):
    broken = file.with_name("broken.pem")
    broken.write_text(text)
    write(file, **{setting: str(broken)})

    with pytest.raises(ConfigError, match=f"{setting}='{broken}': no certificate in the form PEM; name files"):
        cloud_session()


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(file: Path):
    write(file, client_cert=str(make_certificate(file.with_name("locked.pem"), passphrase="secret")))

    with pytest.raises(ConfigError, match=r"client_cert=.*keys without a passphrase"):
        cloud_session()


@pytest.mark.parametrize(("setting", "value"), [
    ("proxy", "me:SECRET@host:99999"), ("proxy", "http://me:SEC RET@host"), ("proxy", "http://me:SEC/RET@host:x"),
    ("modelarts_endpoint", "me:SECRET@host"), ("obs_endpoint", "https://me:SECRET@host"),
])  # fmt: skip
def test_a_password_in_an_address_that_is_wrong_is_not_shown(file: Path, setting: str, value: str):
    write(file, **{setting: value})

    with pytest.raises(ConfigError, match=setting) as caught:
        cloud_session()

    assert "SEC" not in str(caught.value) and "RET" not in str(caught.value)


@pytest.mark.parametrize(("setting", "text"), [("code_limit", "1e400"), ("read_timeout", "9" * 400)])
def test_a_number_that_is_none_is_told(file: Path, setting: str, text: str):
    file.write_text(f'{{"{setting}": {text}}}')

    with pytest.raises(ConfigError, match=setting):
        cloud_session()


def test_the_usual_variable_for_authorities_must_name_a_file(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/not/there.pem")

    with pytest.raises(ConfigError, match=r"REQUESTS_CA_BUNDLE='/not/there.pem': there is no such file"):
        cloud_session()
