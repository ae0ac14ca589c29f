"""Settings come from the argument, the environment, the file or the default, in that order, and say from where."""

from __future__ import annotations

import json
import re
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


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"\xff\xfe{}", b"", b"[" * 100_000],
                         ids=lambda content: repr(content[:10]))
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
    ("proxy", "socks5://a:1", "write the URL of an HTTP proxy, such as http://proxy.example.com:3128, with %2F and"),
    ("proxy", "a b", "for special characters in its password, or none"),
    ("project_id", "项目", "write it without line breaks and characters that are not ASCII"),
    ("catalog_lifetime", "-1", "write a number of seconds above 0"),
    ("total_timeout", "0", "write a number of seconds above 0"),
    ("mode", "here", "write local or cloud"),
    ("lang", "fr", "write en or zh"),
    ("verify", "perhaps", "write 1 or 0, true or false"),
    *((name, "/not/there.pem", "'/not/there.pem': No such file or directory; name one that this user can read")
      for name in ("ca_bundle", "client_cert")),
    ("client_cert", "a,b,c", "write one file that holds certificate and key, or two"),
    *((f"{service}_endpoint", value, "write a host such as modelarts.example.com, or its URL")
      for service in ("modelarts", "iam", "obs")
      for value in ("https://", "a b.example.com", "https://x/?a=b", "ftp://x", "https:/x", "https://https://x",
                    "<endpoint>", "a,b", "modelarts.{region}.x.com", "https://x:", "x:65536", "x\\y", "x//y", "[::g]",
                    "a..b")),
    *(("local_port", value, "write a port from 1 to 65535, or 0 for any free one")
      for value in ("65536", "abc", "1.5")),
    *((name, value, "write a whole number from 1")
      for name in ("local_capacity", "code_limit", "data_limit") for value in ("0", "abc", "1.5")),
    *(("local_python", value, 'write a JSON object such as {"TensorFlow": "/opt/tf/bin/python"}')
      for value in ("[]", "{", "abc", '{"TensorFlow": 3}')),
    *((name, "a\tb", "write it without line breaks and other characters that cannot be printed")
      for name in ("account", "username")),
]  # fmt: skip

TEXTS = ("access_key", "account", "username", "project_id", "region_name", "profile")
# What only a file, or an argument, can hold.
WRONG_KINDS: list[tuple[str, Any, str]] = [
    *((name, value, "write it as a text, in quotes") for name in TEXTS for value in (False, 5, ["a"])),
    *((f"{service}_endpoint", value, "write a host such as") for service in ("modelarts", "iam", "obs")
      for value in (False, 5, ["a.example.com"])),
    *((name, value, "write a number of seconds above 0 and up to 31622400")
      for name in ("connect_timeout", "read_timeout", "total_timeout", "catalog_lifetime", "local_idle_timeout")
      for value in (True, [1], {})),
    *((name, value, "write a whole number from 1")
      for name in ("local_capacity", "code_limit", "data_limit") for value in (True, 1.9, float("inf"), [1])),
    *(("local_port", value, "write a port from 1 to 65535") for value in (True, 1.9, float("nan"), {})),
    *(("client_cert", value, "write one file that holds certificate and key, or two") for value in (5, {}, [])),
    ("client_cert", [5], "write it as a text, in quotes"),
    ("ca_bundle", 5, "write it as a text, in quotes"),
    ("proxy", 5, "write the URL of an HTTP proxy"),
    ("mode", ["local"], "write local or cloud"),
    ("strict", [1], "write 1 or 0, true or false"),
    ("local_python", [], "write a JSON object such as"),
]


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


@pytest.mark.parametrize(("name", "value", "rule"), WRONG_KINDS)
def test_a_value_of_a_wrong_kind_is_told_with_the_rule(file: Path, name: str, value: Any, rule: str):
    write(file, **{name: value})

    with pytest.raises(ConfigError) as caught:
        resolve()

    assert str(caught.value).startswith(f"{name}={value!r} (file {file}): ")
    assert rule in str(caught.value)


@pytest.mark.parametrize("name", ["secret_key", "security_token", "password"])
@pytest.mark.parametrize("value", [["SECRET"], {"SECRET": "SECRET"}, 5])
def test_a_wrong_secret_is_masked(name: str, value: Any):
    with pytest.raises(ConfigError, match=rf"^{name}=\*\*\*\* \(argument\): write it as a text, in quotes$"):
        resolve({name: value})


@pytest.mark.parametrize("setting", ["ca_bundle", "client_cert"])
def test_the_content_of_a_file_in_place_of_its_path_is_told_and_not_shown(file: Path, setting: str):
    write(file, **{setting: "-----BEGIN PRIVATE KEY-----\nSECRET\n"})

    with pytest.raises(ConfigError, match=rf"{setting}='-----BEGIN\*\*\*\*' .*: write the path of a file") as caught:
        resolve()

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert"])
def test_a_path_that_is_far_too_long_is_told_and_shortened(file: Path, name: str):
    write(file, **{name: "x" * 5000})

    with pytest.raises(ConfigError, match=rf"{name}='xxx.*: File name too long; name one that this user") as caught:
        resolve()

    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
@pytest.mark.parametrize("blank", [" ", "\r", " \t\n"])
def test_what_is_blank_counts_as_missing(monkeypatch: pytest.MonkeyPatch, file: Path, name: str, blank: str):
    default = resolve()[name]
    variable, *_ = next(setting.env for setting in SETTINGS if setting.name == name)

    write(file, **{name: blank})
    monkeypatch.setenv(variable, blank)

    assert resolve({name: blank})[name] == default


def test_a_blank_folder_of_settings_counts_as_missing(monkeypatch: pytest.MonkeyPatch, file: Path):
    monkeypatch.setenv("MODELARTS_HOME", "\r")
    write(file, region_name="cn-east-3")

    assert resolve()["region_name"].value == "cn-east-3"


@pytest.mark.parametrize(("arguments", "told"), [
    ({"config_file": 5}, r"^config_file=5 \(argument\): write the path of a settings file$"),
    ({"config_file": "x" * 5000}, "File name too long; correct it"),
    ({"config_file": "a\0b"}, "null byte; correct it"),
])  # fmt: skip
def test_a_named_file_that_is_no_path_is_told(arguments: dict[str, Any], told: str):
    with pytest.raises(ConfigError, match=told):
        Session(**arguments)


def test_a_home_that_is_no_path_is_told():
    with pytest.raises(ConfigError, match=r"^home=5: write the path of a folder"):
        Session.local(home=5)  # type: ignore[arg-type]


def test_a_file_that_begins_with_a_mark_of_its_bytes_is_read(file: Path):
    file.write_text('{"region_name": "cn-east-3"}', encoding="utf-8-sig")

    assert resolve()["region_name"].value == "cn-east-3"


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


@pytest.mark.parametrize("given", ["eu-de", " eu-de ", "eu-de\r\n"])
def test_blanks_around_a_region_are_not_its_own(given: str):
    Session.set_endpoint("iam.x", "obs.x", "modelarts.x", given)

    assert cloud_session(region_name="eu-de").host == cloud_session(region_name=given).host == "https://modelarts.x"


@pytest.mark.parametrize("host", ["x", "my_host", "x.", "10.0.0.1:8443", "[::1]:8443", "[::1]", "x.example.com/a/path",
                                  "模型.example.com"])  # fmt: skip
def test_any_host_may_be_an_endpoint(host: str):
    Session.set_endpoint("iam.x", "obs.x", host, "eu-de")

    assert cloud_session(region_name="eu-de").host == f"https://{host}"


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
    *((setting, f"https://me:SEC{mark}RET@ho st") for setting in ("proxy", "iam_endpoint") for mark in "'\"@\n\\#?[%"),
    *((setting, value) for setting in ("proxy", "iam_endpoint")
      for value in ("http://me:SECRET", "me:SECRET", "http://host@me:SECRET", ["http://me:SEC'RET@host"])),
])  # fmt: skip
def test_a_password_in_an_address_that_is_wrong_is_not_shown(file: Path, setting: str, value: Any):
    write(file, **{setting: value})

    with pytest.raises(ConfigError, match=setting) as caught:
        cloud_session()

    assert "SEC" not in str(caught.value) and "RET" not in str(caught.value)


@pytest.mark.parametrize(("setting", "text"), [("code_limit", "1e400"), ("read_timeout", "9" * 400)])
def test_a_number_that_is_none_is_told(file: Path, setting: str, text: str):
    file.write_text(f'{{"{setting}": {text}}}')

    with pytest.raises(ConfigError, match=setting):
        cloud_session()


@pytest.mark.parametrize(("path", "told"), [
    ("/not/there.pem", r"='/not/there\.pem': .*No such file or directory; name one .*, or unset the variable"),
    ("x" * 5000, "='xxx.*: File name too long; name one .*, or unset the variable"),
    ("-----BEGIN PRIVATE KEY-----\nSECRET", r"='-----BEGIN\*\*\*\*': write the path of a file"),
], ids=["missing", "long", "content"])  # fmt: skip
def test_the_usual_variable_for_authorities_must_name_a_file(monkeypatch: pytest.MonkeyPatch, path: str, told: str):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)

    with pytest.raises(ConfigError, match=f"REQUESTS_CA_BUNDLE{told}") as caught:
        cloud_session()

    assert "SECRET" not in str(caught.value)
    assert len(str(caught.value)) < 600


# --- names that are no settings


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"strikt": True}, r"file .*config.json: there is no setting 'strikt'; did you mean 'strict'\?"),
        ({"profile": "dev", "profiles": {"dev": {"acces_key": "SECRET"}}},
         r"profile 'dev' of .*: there is no setting 'acces_key'; did you mean 'access_key'\?"),
        ({"colour": "red"}, r"there is no setting 'colour'; `modelarts config show` lists them all"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_setting_is_told_once(
    home: Path, caplog: pytest.LogCaptureFixture, members: dict[str, Any], told: str
):
    home.mkdir()
    (home / "config.json").write_text(json.dumps(members))

    for _ in range(2):
        resolve(home=home)

    (said,) = (record.getMessage() for record in caplog.records)
    assert re.search(told, said)
    assert "SECRET" not in said
