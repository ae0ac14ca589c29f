"""`modelarts whoami` and `modelarts config show`: what is used, where it comes from, and whether it works."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Callable

import pytest
import responses

from modelarts._settings import table as settings_table
from modelarts.cli import main
from modelarts.local import daemon
from modelarts.session import Session
from tests.support.cloud import ENGINES, PROJECT

REGION = "cn-north-4"
HOST = f"https://modelarts.{REGION}.myhuaweicloud.com"
IAM = f"https://iam.{REGION}.myhuaweicloud.com"
CHECK = f"{HOST}/v1/{PROJECT}/job/ai-engines"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command as the terminal does: its exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["modelarts", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture
def cloud() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as faked:
        yield faked


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AK", "ACCESS"), ("SK", "SECRET"), ("PROJECT_ID", PROJECT), ("REGION", REGION)):
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_{name}", value)


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Writes `config.json`."""
    file = tmp_path / "user home" / ".modelarts" / "config.json"

    def write(**members: Any) -> Path:
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(members), encoding="utf-8")
        file.chmod(0o600)
        return file

    return write


def table(output: str) -> dict[str, tuple[str, str]]:
    """Value and origin of each row."""
    heads, _, *lines = output.splitlines()
    value, origin = heads.index("value"), heads.index("from")
    rows = {line[:value].strip(): (line[value:origin].strip(), line[origin:].strip()) for line in lines}
    return {name: row for name, row in rows.items() if " " not in name}


# --- whoami


def test_whoami_shows_settings_and_sources_without_sending_anything(run: Run, login: None):
    code, stdout, stderr = run("whoami", "--no-check")

    assert (code, stderr) == (0, "")
    assert table(stdout) == {
        "access_key": ("ACCESS", "environment HUAWEICLOUD_SDK_AK"),
        "secret_key": ("****", "environment HUAWEICLOUD_SDK_SK"),
        "region_name": (REGION, "environment HUAWEICLOUD_SDK_REGION"),
        "project_id": (PROJECT, "environment HUAWEICLOUD_SDK_PROJECT_ID"),
        **{f"{service}_endpoint": (f"https://{service}.{REGION}.myhuaweicloud.com", f"region {REGION}")
           for service in ("modelarts", "iam", "obs")},
    }  # fmt: skip


def test_whoami_tests_the_credentials_with_one_call(run: Run, login: None, cloud: responses.RequestsMock):
    cloud.get(CHECK, json={"is_success": True, "engines": ENGINES})

    code, stdout, stderr = run("whoami")

    assert (code, stderr) == (0, "")
    assert stdout.splitlines()[-1] == f"works: {HOST} offers {len(ENGINES)} engines to project {PROJECT}"
    assert len(cloud.calls) == 1


def test_whoami_shows_the_table_and_then_the_sentence_of_the_error(
    run: Run, login: None, cloud: responses.RequestsMock
):
    cloud.get(CHECK, json={"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication"}, status=401)

    code, stdout, stderr = run("whoami")

    assert code == 1
    assert "secret_key" in stdout
    assert stderr.startswith("modelarts: ")
    assert "Incorrect IAM authentication" in stderr
    assert stderr.count("\n") == 1


def test_whoami_says_which_project_it_looked_up(
    run: Run, login: None, cloud: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("HUAWEICLOUD_SDK_PROJECT_ID")
    cloud.get(f"{IAM}/v3/projects", json={"projects": [{"name": REGION, "id": PROJECT}]})
    cloud.get(CHECK, json={"is_success": True, "engines": ENGINES})

    code, stdout, _ = run("whoami")

    assert code == 0
    assert table(stdout)["project_id"] == ("—", "IAM: the project of the region")
    assert stdout.splitlines()[-1].endswith(f"project {PROJECT}")


def test_whoami_of_a_profile(run: Run, login: None, config: Callable[..., Path]):
    folder = str(Path(__file__).parent)
    dev = {"account": "company", "username": "me", "password": "SECRET", "iam_endpoint": "iam.example.com",
           "project_id": PROJECT, "ca_bundle": folder}  # fmt: skip
    file = config(profiles={"dev": dev})

    code, stdout, _ = run("whoami", "--profile", "dev", "--no-check")

    rows, origin = table(stdout), f"profile 'dev' of {file}"
    assert code == 0
    assert rows["profile"] == ("dev", "argument")
    assert rows["account"] == ("company", origin)
    assert rows["password"] == ("****", origin)
    assert rows["iam_endpoint"] == ("https://iam.example.com", origin)
    assert rows["ca_bundle"] == (folder, origin)
    assert rows["region_name"] == (REGION, "environment HUAWEICLOUD_SDK_REGION")
    assert not {"access_key", "secret_key"} & set(rows)


@pytest.mark.parametrize("check", ["--check", "--no-check"])
def test_whoami_without_credentials_says_so_in_one_line(run: Run, check: str):
    code, stdout, stderr = run("whoami", check)

    assert code == 1
    assert table(stdout)["access_key"] == ("—", "missing")
    assert stderr.startswith("modelarts: Session() found no credentials. Sources, in this order: arguments: no login; ")
    assert stderr.count("\n") == 1


def test_whoami_of_incomplete_credentials_shows_what_is_missing(run: Run, login: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HUAWEICLOUD_SDK_SK")

    code, stdout, stderr = run("whoami", "--no-check")

    assert code == 1
    assert table(stdout)["secret_key"] == ("—", "missing")
    assert "secret_key: missing" in stderr


def test_whoami_shows_the_proxy_without_its_password(run: Run, login: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:SECRET@proxy.example.com:8080")

    _, stdout, _ = run("whoami", "--no-check")
    assert table(stdout)["proxy"] == ("http://****@proxy.example.com:8080", "environment HTTPS_PROXY")

    monkeypatch.setenv("MODELARTS_PROXY", "other:SECRET@proxy.example.com")
    _, stdout, _ = run("whoami", "--no-check")
    assert table(stdout)["proxy"] == ("http://****@proxy.example.com", "environment MODELARTS_PROXY")

    monkeypatch.delenv("MODELARTS_PROXY")
    monkeypatch.setenv("NO_PROXY", ".myhuaweicloud.com")
    _, stdout, _ = run("whoami", "--no-check")
    assert "proxy" not in table(stdout)


def test_whoami_on_this_machine(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    monkeypatch.setenv("MODELARTS_MODE", "local")

    code, stdout, _ = run("whoami", "--no-check")
    assert code == 0
    assert table(stdout) == {
        "mode": ("local", "environment MODELARTS_MODE"), "home": (str(home), "environment MODELARTS_HOME")
    }  # fmt: skip
    assert daemon.find(home) is None

    code, stdout, _ = run("whoami")
    assert code == 0
    assert "engines to project local" in stdout


@pytest.mark.parametrize("check", ["--check", "--no-check"])
def test_whoami_of_an_unknown_region_lists_the_known_ones(
    run: Run, login: None, monkeypatch: pytest.MonkeyPatch, check: str
):
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION", "cn-north-9")
    monkeypatch.setattr(Session, "_endpoints", {})

    code, stdout, stderr = run("whoami", check)

    assert code == 1
    assert table(stdout)["modelarts_endpoint"] == ("—", "missing")
    assert "known are cn-north-1, cn-north-4, cn-east-3, cn-south-1" in stderr


# --- config show


def test_config_show_has_every_setting_with_its_value_and_its_source(
    run: Run, login: None, config: Callable[..., Path]
):
    file = config(read_timeout=7, local_python={"PyTorch": "/opt/bin/python"}, profiles={"fast": {"read_timeout": 1}})

    code, stdout, stderr = run("config", "show")

    rows = table(stdout)
    assert (code, stderr) == (0, "")
    assert list(rows) == [setting.name for setting in settings_table.SETTINGS]
    assert rows["secret_key"] == ("****", "environment HUAWEICLOUD_SDK_SK")
    assert rows["read_timeout"] == ("7.0", f"file {file}")
    assert rows["local_python"] == ('{"PyTorch": "/opt/bin/python"}', f"file {file}")
    assert rows["strict"] == ("false", "default")
    assert rows["password"] == ("—", "default")
    assert "SECRET" not in stdout

    _, stdout, _ = run("config", "show", "--profile", "fast")
    assert table(stdout)["read_timeout"] == ("1.0", f"profile 'fast' of {file}")


def test_an_invalid_setting_is_reported_in_one_line(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "soon")

    code, stdout, stderr = run("config", "show")

    assert (code, stdout) == (1, "")
    assert stderr.startswith("modelarts: read_timeout='soon' (environment MODELARTS_READ_TIMEOUT): ")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("one", "one"),
        ("What:\n  - a: b\n  - c\nNow this.\nAnd that", "What: a: b; c. Now this. And that"),
    ],
)
def test_a_message_of_several_lines_becomes_one(message: str, line: str):
    assert main._in_one_line(message) == line


# --- errors of this machine


def _file_in_place_of_the_folder(home: Path) -> None:
    home.mkdir()
    (home / "local").write_text("")


def _store_that_is_no_database(home: Path) -> None:
    (home / "local").mkdir(parents=True)
    (home / "local" / "store.db").write_text("no database " * 1000)


def _store_that_is_a_folder(home: Path) -> None:
    (home / "local" / "store.db").mkdir(parents=True)


def _store_of_a_newer_version(home: Path) -> None:
    (home / "local").mkdir(parents=True)
    with closing(sqlite3.connect(home / "local" / "store.db")) as connection:
        connection.execute("PRAGMA user_version = 999")


@pytest.mark.parametrize(
    "damage",
    [_file_in_place_of_the_folder, _store_that_is_no_database, _store_that_is_a_folder, _store_of_a_newer_version],
    ids=lambda damage: damage.__name__.replace("_", " ").strip(),
)
@pytest.mark.parametrize("command", ["dataset list", "dataset remove ds v1", "dataset add ds v1 FOLDER", "start"])
def test_a_state_that_cannot_be_used_is_reported_in_one_line(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None], command: str
):
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    damage(home)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "1.csv").write_text("1\n")

    code, stdout, stderr = run("local", *command.replace("FOLDER", str(tmp_path / "rows")).split())

    assert (code, stdout) == (1, "")
    assert re.fullmatch(r"modelarts: .*\n", stderr), stderr
    assert str(home / "local") in stderr
    assert not (home / "local" / "buckets" / "modelarts-datasets").exists()


@pytest.mark.parametrize("command", ["stop", "status", "credentials", "credentials --show"])
def test_commands_that_find_no_service_say_so_in_one_line(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, command: str
):
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    _store_that_is_no_database(home)
    (home / "local" / "service.json").write_text("{")

    code, stdout, stderr = run("local", *command.split())

    assert code == {"stop": 0, "status": 3}.get(command, 1)
    assert (stdout + stderr).count("\n") == 1
    assert str(home / "local") in stdout + stderr
