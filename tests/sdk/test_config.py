"""Settings come from the argument, the environment, the file or the default, in that order, and say from where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.cloud import PROJECT, cloud_session

from modelarts import _config
from modelarts._config import SETTINGS, resolve, value_of
from modelarts.errors import ConfigError
from modelarts.session import Session

REGIONS = ("cn-north-1", "cn-north-4", "cn-east-3", "cn-south-1")

# Of each setting: four values as an argument, an environment variable and a file give them, and what they mean.
EXAMPLES: dict[str, list[tuple[Any, Any]]] = {
    "mode": [("local", "local"), ("cloud", "cloud"), (" LOCAL ", "local")],
    **{name: [("A", "A"), ("B", "B"), ("C", "C")]
       for name in ("access_key", "secret_key", "security_token", "project_id", "region_name")},
    "strict": [(True, True), ("0", False), (True, True)],
    **{name: [(1, 1.0), ("2.5", 2.5), (30, 30.0)]
       for name in ("connect_timeout", "read_timeout", "catalog_lifetime", "local_idle_timeout")},
    "local_port": [(1, 1), ("8080", 8080), (65535, 65535)],
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
    assert {setting.name for setting in SETTINGS} <= {*EXAMPLES}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_an_argument_beats_the_environment_that_the_file_that_the_default(
    monkeypatch: pytest.MonkeyPatch, file: Path, setting: _config.Setting
):
    (argument, meant), (variable, in_environment), (stored, in_file) = EXAMPLES[setting.name]

    found = resolve()[setting.name]
    assert (found.value, found.source) == (setting.default, "default")

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
        monkeypatch.setenv(variable, f"value {number}")

    assert resolve()[setting.name].value == "value 0"


def test_an_empty_variable_counts_as_missing(monkeypatch: pytest.MonkeyPatch, file: Path):
    write(file, region_name="cn-east-3")
    monkeypatch.setenv("REGION_NAME", "")

    assert resolve()["region_name"].value == "cn-east-3"


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


def test_a_session_with_nothing_says_what_it_looked_for_and_how_to_go_local(file: Path):
    with pytest.raises(ConfigError) as caught:
        Session()

    text = str(caught.value)
    for name in ("access_key", "secret_key", "project_id", "region_name"):
        setting = next(setting for setting in SETTINGS if setting.name == name)
        assert f"{name}: missing: argument, {' or '.join(setting.env)}" in text
    assert str(file) in text
    assert "Session.local()" in text
    assert "MODELARTS_MODE=local" in text
    assert isinstance(caught.value, ValueError)


def test_an_incomplete_login_says_what_was_found_and_where(monkeypatch: pytest.MonkeyPatch, file: Path):
    write(file, project_id=PROJECT)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "SECRET")

    with pytest.raises(ConfigError) as caught:
        Session(access_key="A")

    text = str(caught.value)
    assert "access_key: found (argument)" in text
    assert "secret_key: found (environment HUAWEICLOUD_SDK_SK)" in text
    assert f"project_id: found (file {file})" in text
    assert "region_name: missing" in text
    assert "SECRET" not in text


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"\xff\xfe{}", b""])
def test_a_broken_file_is_named(file: Path, content: bytes):
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=r"mend it or remove it|it holds no JSON object") as caught:
        Session()

    assert str(file) in str(caught.value)


def test_a_file_that_is_a_folder_is_named(file: Path):
    file.mkdir()

    with pytest.raises(ConfigError, match="mend it or remove it"):
        Session()


WRONG = [
    ("strict", "perhaps", "write 1 or 0, true or false"),
    ("connect_timeout", "0", "write a number of seconds above 0"),
    ("read_timeout", "nan", "write a number of seconds above 0"),
    ("read_timeout", "soon", "could not convert"),
    ("catalog_lifetime", "-1", "write a number of seconds above 0"),
    ("mode", "here", "write local or cloud"),
    ("local_port", "65536", "write a port from 1 to 65535, or 0"),
    ("local_capacity", "0", "write a whole number from 1"),
    ("local_python", "[]", "write a JSON object such as"),
    ("local_python", "{", "Expecting property name"),
]


@pytest.mark.parametrize("where", ["environment", "file"])
@pytest.mark.parametrize(("name", "value", "rule"), WRONG)
def test_a_wrong_value_is_told_with_its_place_and_the_rule(
    monkeypatch: pytest.MonkeyPatch, file: Path, name: str, value: str, rule: str, where: str
):
    (variable,) = next(setting.env for setting in SETTINGS if setting.name == name)
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


@pytest.fixture(autouse=True)
def endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints given in a test are forgotten after it."""
    monkeypatch.setattr(Session, "_endpoints", {})


@pytest.mark.parametrize("region", REGIONS)
def test_a_documented_region_has_its_endpoint(region: str):
    assert cloud_session(region_name=region).host == f"https://modelarts.{region}.myhuaweicloud.com"


def test_an_unknown_region_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="region_name='cn-north-9' is unknown") as caught:
        cloud_session(region_name="cn-north-9")

    assert all(region in str(caught.value) for region in REGIONS)
    assert "Session.set_endpoint(…) first" in str(caught.value)


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

    assert cloud_session(region_name=region).host == host
    assert cloud_session(region_name="cn-north-1").host == "https://modelarts.cn-north-1.myhuaweicloud.com"
