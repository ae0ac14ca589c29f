"""Missing and invalid settings are reported with their source and the rule."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelarts._settings.table import BY_NAME, resolve
from modelarts.errors import ConfigError
from modelarts.session import Session
from tests.support.cloud import PROJECT
from tests.support.files import write_json

HERE = str(Path(__file__).parent)


def test_a_session_without_credentials_lists_the_sources_and_the_local_mode(file: Path):
    with pytest.raises(ConfigError) as caught:
        Session()

    text = str(caught.value)
    looked_at = ["arguments", "environment", "AWS_SHARED_CREDENTIALS_FILE", "/.huaweicloud/credentials", str(file)]
    assert sorted(looked_at, key=text.index) == looked_at
    assert "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK" in text
    assert "Session.local()" in text
    assert "MODELARTS_MODE=local" in text
    assert isinstance(caught.value, ValueError)


def test_incomplete_credentials_are_reported_with_what_was_found(monkeypatch: pytest.MonkeyPatch, file: Path):
    write_json(file, access_key="B", secret_key="SECRET2", project_id=PROJECT)
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
    *((name, value, "write it without the quotes around it")
      for name in ("access_key", "project_id", "region_name")
      for value in ('"AKIDEXAMPLE"', "'AKIDEXAMPLE'", ' "AKIDEXAMPLE" \r\n', 'AKIDEXAMPLE"')),
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
    *(("local_engines", value, "write a JSON object of versions by engine")
      for value in ("3", "abc", '{"PyTorch": 3}', '{"PyTorch": [""]}', '[{"framework_type": "X"}]', '["x-1", 3]')),
    *(("local_flavors", value, "write flavor codes with commas between them, or a JSON object such as")
      for value in ("3", "[3]", '{"a": 3}', '{"a": {"nodes": 1}}', '{"a": {"max_num": 0}}', '{"a": {"gpu_num": "x"}}')),
    *((name, "a\tb", "write it without line breaks and other characters that cannot be printed")
      for name in ("account", "username")),
]  # fmt: skip

@pytest.mark.parametrize("name", ["HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"])
def test_quotes_around_a_secret_are_reported_without_it(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "AK")
    monkeypatch.setenv(name, "'TELLNOBODY'")

    with pytest.raises(ConfigError, match="write it without the quotes around it") as caught:
        Session()
    assert "TELLNOBODY" not in str(caught.value)


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


def assert_reported(call: Callable[[], Any], name: str, value: Any, source: str, rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call()

    assert str(caught.value).startswith(f"{name}={value!r} ({source}): ")
    assert rule in str(caught.value), (name, value)


def test_an_invalid_value_of_the_environment_is_reported_with_its_source_and_the_rule(monkeypatch: pytest.MonkeyPatch):
    for name, value, rule in WRONG:
        variable, *_ = BY_NAME[name].env
        monkeypatch.setenv(variable, value)
        assert_reported(Session, name, value, f"environment {variable}", rule)
        monkeypatch.delenv(variable)


def test_an_invalid_value_of_a_file_is_reported_with_its_source_and_the_rule(file: Path):
    for name, value, rule in WRONG:
        write_json(file, **{name: value})
        assert_reported(Session, name, value, f"file {file}", rule)


def test_a_value_of_a_wrong_type_is_reported_with_the_rule(file: Path):
    for name, value, rule in WRONG_KINDS:
        write_json(file, **{name: value})
        assert_reported(resolve, name, value, f"file {file}", rule)


def test_a_wrong_secret_is_masked():
    for name, value in itertools.product(["secret_key", "security_token", "password"], [["SECRET"], {"SECRET": 1}, 5]):
        with pytest.raises(ConfigError, match=rf"^{name}=\*\*\*\* \(argument\): write it as a text, in quotes$"):
            resolve({name: value})


@pytest.mark.parametrize("setting", ["ca_bundle", "client_cert"])
def test_the_content_of_a_file_in_place_of_its_path_is_masked(file: Path, setting: str):
    write_json(file, **{setting: "-----BEGIN PRIVATE KEY-----\nSECRET\n"})

    with pytest.raises(ConfigError, match=rf"{setting}='-----BEGIN\*\*\*\*' .*: write the path of a file") as caught:
        resolve()

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert"])
def test_a_very_long_path_is_shortened_in_the_message(file: Path, name: str):
    write_json(file, **{name: "x" * 5000})

    with pytest.raises(ConfigError, match=rf"{name}='xxx.*: File name too long; name one that this user") as caught:
        resolve()

    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("blank", [" ", "\r", " \t\n"])
def test_what_is_blank_counts_as_missing(monkeypatch: pytest.MonkeyPatch, file: Path, blank: str):
    defaults = resolve()

    for name, setting in BY_NAME.items():
        write_json(file, **{name: blank})
        monkeypatch.setenv(setting.env[0], blank)

        assert resolve({name: blank})[name] == defaults[name], name
        monkeypatch.delenv(setting.env[0])


def test_a_blank_folder_of_settings_counts_as_missing(monkeypatch: pytest.MonkeyPatch, file: Path):
    monkeypatch.setenv("MODELARTS_HOME", "\r")
    write_json(file, region_name="cn-east-3")

    assert resolve()["region_name"].value == "cn-east-3"


@pytest.mark.parametrize(("arguments", "message"), [
    ({"config_file": 5}, r"^config_file=5 \(argument\): write the path of a settings file$"),
    ({"config_file": "x" * 5000}, "File name too long; correct it"),
    ({"config_file": "a\0b"}, "null byte; correct it"),
])  # fmt: skip
def test_an_invalid_config_file_is_reported(arguments: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        Session(**arguments)


def test_an_invalid_home_is_reported():
    with pytest.raises(ConfigError, match=r"^home=5: write the path of a folder"):
        Session.local(home=5)  # type: ignore[arg-type]


def test_a_file_with_a_byte_order_mark_is_read(file: Path):
    file.write_text('{"region_name": "cn-east-3"}', encoding="utf-8-sig")

    assert resolve()["region_name"].value == "cn-east-3"


