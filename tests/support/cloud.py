"""A faked cloud: its responses, and the requests that it received."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import responses

from modelarts.estimator import Estimator
from modelarts.session import Session

PROJECT = "p" * 32
HOST = "https://modelarts.cn-north-4.myhuaweicloud.com"
BASE = f"{HOST}/v1/{PROJECT}"
CONTRACT = Path(__file__).parents[1] / "contract"

CPU, GPU = "modelarts.vm.cpu.2u", "modelarts.vm.gpu.p100"
SPECS = [
    {"spec_id": 2, "spec_code": CPU, "max_num": 2, "no_resource": False},
    {"spec_id": 4, "spec_code": GPU, "max_num": 8, "no_resource": False},
]
ENGINES = [
    {"engine_id": 1, "engine_name": "TensorFlow", "engine_version": "TF-1.8.0-python2.7"},
    {"engine_id": 11, "engine_name": "PyTorch", "engine_version": "PyTorch-0.4.0-python3.6"},
    {"engine_id": 12, "engine_name": "PyTorch", "engine_version": "PyTorch-1.0.0-python3.6"},
]
MODELS = [
    {"model_id": 4, "model_name": "ResNet_v2_50"},
    {"model_id": 5, "model_name": "resnet_v1_50"},
]
LISTS = {
    "specs": ("/job/resource-specs", SPECS),
    "engines": ("/job/ai-engines", ENGINES),
    "models": ("/built-in-algorithms", MODELS),
}
MADE = {
    "is_success": True, "job_id": 10, "job_name": "digits", "status": 1,
    "create_time": 1524189990635, "version_id": 20, "version_name": "V0001",
}  # fmt: skip


def contract(name: str) -> Any:
    """One of the contract's files."""
    return json.loads((CONTRACT / name).read_text(encoding="utf-8"))


def cloud_session(**changes: Any) -> Session:
    """A session by access key on the faked cloud."""
    login = {"access_key": "AK", "secret_key": "SK", "project_id": PROJECT, "region_name": "cn-north-4"}
    return Session(**{**login, **changes})


def cloud_estimator(session: Session, **changes: Any) -> Estimator:
    """An estimator with valid arguments."""
    arguments: dict[str, Any] = {
        "framework_type": "PyTorch", "framework_version": "PyTorch-1.0.0-python3.6",
        "code_dir": "/bucket/src/", "boot_file": "/bucket/src/train.py",
        "output_path": "/bucket/output/", "log_url": "/bucket/log/",
        "train_instance_type": CPU, "train_instance_count": 1,
    }  # fmt: skip
    return Estimator(session, **{**arguments, **changes})


class Cloud:
    """The responses of the faked cloud, and the requests that it received."""

    def __init__(self, faked: responses.RequestsMock) -> None:
        self.faked = faked

    def answer(self, method: str, path: str, reply: Any, status: int = 200, **more: Any) -> None:
        """Respond to a call with a JSON body, with raw bytes, or with an exception."""
        kind = "body" if isinstance(reply, (bytes, Exception)) else "json"
        length = {} if isinstance(reply, Exception) else {"auto_calculate_content_length": True}
        self.faked.add(method, BASE + path, status=status, **{kind: reply}, **length, **more)

    def look_ups(self, *kinds: str, **rows: list[dict[str, Any]]) -> None:
        """Respond to look-ups: some of `specs`, `engines` and `models`, with the default rows or with others."""
        for kind in (*kinds, *rows):
            path, usual = LISTS[kind]
            self.answer("GET", path, {"is_success": True, kind: rows.get(kind, usual)})

    @property
    def requests(self) -> list[requests.PreparedRequest]:
        """All requests in their order."""
        return [call.request for call in self.faked.calls]

    @property
    def calls(self) -> list[str]:
        """The requests as `GET /job/resource-specs`, without the query."""
        return [f"{r.method} {urlsplit(r.url or '').path[len(f'/v1/{PROJECT}') :]}" for r in self.requests]

    @property
    def sent(self) -> list[Any]:
        """The bodies of all POST and PUT requests."""
        return [json.loads(r.body or b"null") for r in self.requests if r.method in ("POST", "PUT")]
