"""Shared by tests of large files: their size, and requests to look for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fault_proxy import Request

from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.paths import PART as PARTIAL

MIB = 1 << 20
PART = MIB // 4  # the size of parts in all tests here: two of the pieces in which a reply is read
SIZE = 4 * PART + 12345
PARTS = 5


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def stored(obs: HuaweiBuckets, bucket: str, local: Path, name: str = "big.bin") -> Path:
    """The object, downloaded with another client in one request."""
    file = local / "stored"
    client = obs.client()
    result = client.getObject(bucket, name, downloadPath=str(file))
    assert result.status == 200
    return file


def partial_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(PARTIAL)]


def records(tmp_path: Path) -> list[Path]:
    return [*(tmp_path / "state" / "transfers").iterdir()]


def is_part(number: int) -> Callable[[Request], bool]:
    return lambda request: f"partNumber={number}&" in request.target


def is_range(number: int) -> Callable[[Request], bool]:
    return lambda request: request.headers.get("range", "").startswith(f"bytes={(number - 1) * PART}-")
