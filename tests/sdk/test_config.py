"""Settings come from the argument, the environment, the file or the default, in this order, with their source."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from modelarts._settings import table
from modelarts._settings.table import SETTINGS, resolve, value_of
from modelarts._transport.options import TransportOptions
from modelarts.errors import ConfigError
from modelarts.session import Session
from tests.support.certificates import make_certificate
from tests.support.cloud import PROJECT, cloud_session
from tests.support.files import write_json

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
    "local_engines": [({"PyTorch": "a"}, {"PyTorch": ["a"]}), ('{"X": ["a", "b"]}', {"X": ["a", "b"]}),
                      ([{"framework_type": "X", "framework_version": "X-1"}, "TF-2.9", "X-2"],
                       {"X": ["X-1", "X-2"], "TensorFlow": ["TF-2.9"]})],
    "local_flavors": [({"a": {"gpu_num": 2}}, {"a": {"gpu_num": 2}}), ("a, b", {"a": {}, "b": {}}),
                      ([{"spec_code": "a", "max_num": 2}, "b"], {"a": {"max_num": 2}, "b": {}})],
    "local_environment": [(["RANK"], ["RANK"]), ("HTTPS_PROXY, WANDB_*", ["HTTPS_PROXY", "WANDB_*"]), ([], [])],
    "local_tensorboards": [(1, 1), ("2", 2), (20, 20)],
    "local_grace": [(30, 30.0), ("2.5", 2.5), (5.0, 5.0)],
    "local_cards": [(1, 1), ("2", 2), (8, 8)],
    "local_conda": [("micromamba", "micromamba"), ("/opt/conda/bin/conda", "/opt/conda/bin/conda"), ("none", "none")],
    "local_images": [("host", "host"), (" Refuse ", "refuse"), ("host", "host")],
    "local_isolation": [("auto", "auto"), (" Require ", "require"), ("off", "off")],
    "local_keep": [("failed,5", "failed,5"), ("none", "none"), ("7d", "7d")],
}  # fmt: skip


# --- the order


def test_every_setting_has_an_example():
    assert {setting.name for setting in SETTINGS} == {*EXAMPLES, "profile"}


@pytest.mark.parametrize("setting", [row for row in SETTINGS if row.name in EXAMPLES], ids=lambda row: row.name)
def test_arguments_come_before_environment_file_and_default(
    monkeypatch: pytest.MonkeyPatch, file: Path, setting: table.Setting
):
    (argument, meant), (variable, in_environment), (stored, in_file) = EXAMPLES[setting.name]
    monkeypatch.setenv("LC_ALL", "C")

    found = resolve()[setting.name]
    default = ("en", "locale") if setting.name == "lang" else (setting.default, "default")
    assert (found.value, found.source) == default

    write_json(file, **{setting.name: stored})
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
def test_the_first_of_several_variables_wins(monkeypatch: pytest.MonkeyPatch, setting: table.Setting):
    for number, variable in enumerate(setting.env):
        monkeypatch.setenv(variable, f"value-{number}")

    assert resolve()[setting.name].value in ("value-0", "https://value-0")


def test_an_empty_variable_counts_as_missing(monkeypatch: pytest.MonkeyPatch, file: Path):
    write_json(file, region_name="cn-east-3")
    monkeypatch.setenv("REGION_NAME", "")

    assert resolve()["region_name"].value == "cn-east-3"


def test_settings_that_a_profile_lacks_come_from_the_file(file: Path):
    write_json(file, read_timeout=7, strict=True, profile="slow", profiles={"slow": {"read_timeout": 90}})

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


def test_variables_are_read_when_a_session_is_created(monkeypatch: pytest.MonkeyPatch):
    for name, value in (("AK", "A"), ("SK", "S"), ("PROJECT_ID", PROJECT)):
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", value)
    monkeypatch.setenv("S3_REGION", "cn-south-1")

    session = Session()

    assert (session.project_id, session.region_name) == (PROJECT, "cn-south-1")
    assert session.host == "https://modelarts.cn-south-1.myhuaweicloud.com"


def test_credentials_may_come_from_each_source(monkeypatch: pytest.MonkeyPatch, file: Path):
    write_json(file, access_key="A", secret_key="S", region_name="cn-north-1")
    monkeypatch.setenv("PROJECT_ID", PROJECT)

    session = Session(region_name="cn-east-3")

    assert (session.project_id, session.region_name) == (PROJECT, "cn-east-3")


def test_modelarts_home_moves_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path))
    write_json(tmp_path / "config.json", region_name="cn-east-3")

    found = resolve()["region_name"]

    assert (found.value, found.source) == ("cn-east-3", f"file {tmp_path / 'config.json'}")


# --- sending


def test_a_session_sends_with_its_settings(monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path):
    pem = str(make_certificate(tmp_path / "mine.pem"))
    given = {"ca_bundle": HERE, "client_cert": pem, "proxy": "p:3128"}
    write_json(file, connect_timeout=1, read_timeout=2, total_timeout=3, **given)
    options = cloud_session().client.transport.options

    assert options == TransportOptions(1, 2, 3, HERE, pem, {"all": "http://p:3128"})

    monkeypatch.setenv("MODELARTS_VERIFY", "off")
    assert cloud_session().client.transport.options.verify is False


def test_by_default_the_usual_authorities_are_trusted_and_there_is_no_proxy():
    options = cloud_session().client.transport.options

    assert options == TransportOptions(10, 60, 300, True, None, {})
    assert options.proxy_for("https://modelarts.example.com") is None


def test_a_session_may_have_its_own_timeouts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "7")

    options = cloud_session(connect_timeout=1, total_timeout="3").client.transport.options

    assert (options.connect_timeout, options.read_timeout, options.total_timeout) == (1, 7, 3)
    with pytest.raises(ConfigError, match=r"read_timeout=-1 \(argument\): write a number of seconds above 0"):
        cloud_session(read_timeout=-1)
    with pytest.raises(ConfigError, match=r"connect_timeout=0 \(argument\)"), cloud_session().deadline(connect=0):
        pass


NO_CERTIFICATE = ["not a certificate", "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]


@pytest.mark.parametrize("setting", ["ca_bundle", "client_cert"])
@pytest.mark.parametrize("text", NO_CERTIFICATE)
def test_a_file_without_certificates_is_reported_when_the_session_is_created(file: Path, setting: str, text: str):
    broken = file.with_name("broken.pem")
    broken.write_text(text)
    write_json(file, **{setting: str(broken)})

    with pytest.raises(ConfigError, match=f"{setting}='{broken}': not a certificate in PEM format; name files"):
        cloud_session()


def test_a_key_with_a_passphrase_is_refused_without_a_prompt(file: Path):
    write_json(file, client_cert=str(make_certificate(file.with_name("locked.pem"), passphrase="secret")))

    with pytest.raises(ConfigError, match=r"client_cert=.*keys without a passphrase"):
        cloud_session()


@pytest.mark.parametrize(("setting", "value"), [
    ("proxy", "me:SECRET@host:99999"), ("proxy", "http://me:SEC RET@host"), ("proxy", "http://me:SEC/RET@host:x"),
    ("modelarts_endpoint", "me:SECRET@host"), ("obs_endpoint", "https://me:SECRET@host"),
    *((setting, f"https://me:SEC{mark}RET@ho st") for setting in ("proxy", "iam_endpoint") for mark in "'\"@\n\\#?[%"),
    *((setting, value) for setting in ("proxy", "iam_endpoint")
      for value in ("http://me:SECRET", "me:SECRET", "http://host@me:SECRET", ["http://me:SEC'RET@host"])),
])  # fmt: skip
def test_the_password_of_an_invalid_url_is_masked(file: Path, setting: str, value: Any):
    write_json(file, **{setting: value})

    with pytest.raises(ConfigError, match=setting) as caught:
        cloud_session()

    assert "SEC" not in str(caught.value) and "RET" not in str(caught.value)


@pytest.mark.parametrize(("setting", "text"), [("code_limit", "1e400"), ("read_timeout", "9" * 400)])
def test_an_invalid_number_is_reported(file: Path, setting: str, text: str):
    file.write_text(f'{{"{setting}": {text}}}')

    with pytest.raises(ConfigError, match=setting):
        cloud_session()


@pytest.mark.parametrize(("path", "message"), [
    ("/not/there.pem", r"='/not/there\.pem': .*No such file or directory; name one .*, or unset the variable"),
    ("x" * 5000, "='xxx.*: File name too long; name one .*, or unset the variable"),
    ("-----BEGIN PRIVATE KEY-----\nSECRET", r"='-----BEGIN\*\*\*\*': write the path of a file"),
], ids=["missing", "long", "content"])  # fmt: skip
def test_the_common_variable_for_authorities_must_name_a_file(monkeypatch: pytest.MonkeyPatch, path: str, message: str):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)

    with pytest.raises(ConfigError, match=f"REQUESTS_CA_BUNDLE{message}") as caught:
        cloud_session()

    assert "SECRET" not in str(caught.value)
    assert len(str(caught.value)) < 600


# --- names that are no settings


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"strikt": True}, r"file .*config.json: there is no setting 'strikt'; did you mean 'strict'\?"),
        ({"profile": "dev", "profiles": {"dev": {"acces_key": "SECRET"}}},
         r"profile 'dev' of .*: there is no setting 'acces_key'; did you mean 'access_key'\?"),
        ({"colour": "red"}, r"there is no setting 'colour'; `modelarts config show` lists them all"),
    ],
)  # fmt: skip
def test_an_unknown_setting_is_reported_once(
    home: Path, caplog: pytest.LogCaptureFixture, members: dict[str, Any], message: str
):
    home.mkdir()
    (home / "config.json").write_text(json.dumps(members))

    for _ in range(2):
        resolve(home=home)

    (warning,) = (record.getMessage() for record in caplog.records)
    assert re.search(message, warning)
    assert "SECRET" not in warning
