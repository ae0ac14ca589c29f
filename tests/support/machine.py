"""A user's files and variables, and the sources that credentials may come from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelarts.session import Session
from tests.support.cloud import PROJECT, Cloud

REGION = "cn-north-4"
IAM = f"https://iam.{REGION}.myhuaweicloud.com"
INFO = "/training-jobs/10/versions/20"
OTHER_PROJECT = "q" * 32


class Machine:
    """The files and environment variables of a user."""

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


def keys_of(session: Session) -> tuple[str, str, str]:
    keys = session.client.endpoint.auth.keys()
    return keys.access_key, keys.secret_key, keys.security_token


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


def iam_knows(cloud: Cloud, *projects: dict[str, str]) -> None:
    cloud.faked.get(f"{IAM}/v3/projects?name={REGION}", json={"projects": projects})


def iam_lets_in(cloud: Cloud, project: str = PROJECT) -> None:
    body = {"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "project": {"id": project}}}
    cloud.faked.post(f"{IAM}/v3/auth/tokens", json=body, status=201, headers={"X-Subject-Token": "TOKEN"})


def ask(session: Session) -> None:
    session.client.call("get_training_job_version", {"job_id": 10, "version_id": 20})
