"""Fixtures: `moxing` over buckets that are folders, and over those of an S3 server."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import attrs
import pytest

from modelarts import moxing
from modelarts._auth.signing import AkSkAuth
from modelarts._obs.buckets import Buckets
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.moxing.framework.file import _access
from tests.support.files import put
from tests.support.s3_server import make_bucket

_numbers = itertools.count(1)
OBJECTS = {"d/a.txt": b"one\ntwo\n", "d/s/b.bin": b"\x00\x01\x02\xff", "d/s/t/c.jpg": b"J", "top.txt": b"hi"}
KINDS = ["folders", "folders-s3", "cloud"]


@attrs.frozen
class World:
    """A bucket with the objects that the expectations begin with, and a local folder.

    Args:
        bucket: its name.
        b: its address.
        no: the address of a bucket that does not exist.
        L, N: a local folder, and a new local path whose parent is missing.
        root: the folder of the buckets, if they are folders.
    """

    file: Any
    buckets: Buckets
    bucket: str
    scheme: str
    no: str
    L: str
    N: str
    root: Path | None

    @property
    def b(self) -> str:
        return f"{self.scheme}://{self.bucket}"

    def put(self, key: str, content: str | bytes, folder: Path) -> None:
        """Store an object by `session.obs`, not by what is tested."""
        source = put(folder / "put" / key, content)
        self.buckets.upload_file(source, f"obs://{self.bucket}/{key.rpartition('/')[0]}")

    def keys(self, folder: str = "") -> list[str]:
        """The objects below a folder, by `session.obs`."""
        before = f"obs://{self.bucket}/{folder}"
        if not self.buckets.is_obs_path_exists(before):
            return []
        return [item.url[len(before) :].lstrip("/") for item in self.buckets.list(before, recursive=True)]


@pytest.fixture(autouse=True)
def fresh_access(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the keys of another."""
    monkeypatch.setattr(_access, "_given", {})
    monkeypatch.setattr(_access, "_opened", (None, None))


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalBuckets:
    """The buckets of a local service, as jobs see them."""
    monkeypatch.setenv("MODELARTS_MODE", "local")
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "state"))
    return LocalBuckets(tmp_path / "state" / "local" / "buckets")


@pytest.fixture
def cloud(tmp_path: Path, s3_port: int) -> HuaweiBuckets:
    """Buckets of an S3 server, with keys that `set_auth` was given."""
    moxing.file.set_auth(ak="AK", sk="the secret", server="127.0.0.1", port=s3_port, is_secure=False)
    return cloud_of(s3_port, tmp_path / "state")


def cloud_of(port: int, state: Path) -> HuaweiBuckets:
    return HuaweiBuckets(f"http://127.0.0.1:{port}", AkSkAuth("AK", "the secret", ""), state)


def world_of(buckets: Buckets, bucket: str, scheme: str, folder: Path) -> World:
    put(folder / "L" / "x.txt", "local")
    put(folder / "L" / "s" / "y.txt", "yy")
    return World(
        moxing.file, buckets, bucket, scheme, f"{scheme}://no-such-bucket",
        str(folder / "L"), str(folder / "new" / "N"), getattr(buckets, "root", None),
    )  # fmt: skip


def fill(root: Path) -> None:
    """The objects in a bucket that is a folder."""
    for key, content in OBJECTS.items():
        put(root / key, content)
    (root / "e").mkdir()


@pytest.fixture(params=KINDS)
def w(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A world for a row of the table, or for rows that change nothing."""
    kind, _, scheme = request.param.partition("-")
    bucket = f"moxing-{next(_numbers)}" if kind == "cloud" else "bucket"
    world = world_of(request.getfixturevalue(kind), bucket, scheme or "obs", tmp_path)
    if world.root:
        fill(world.root / bucket)
    else:
        make_bucket(request.getfixturevalue("s3_port"), bucket, {**OBJECTS, "e/": b""})
    return world
