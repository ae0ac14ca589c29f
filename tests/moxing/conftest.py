"""Fixtures: `moxing` over buckets that are folders, and over those of an S3 server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
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

_numbers = itertools.count(1)
OBJECTS = {"d/a.txt": "one\ntwo\n", "d/s/b.bin": b"\x00\x01\x02\xff", "d/s/t/c.jpg": "J", "top.txt": "hi"}
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


@pytest.fixture(scope="module")
def filled(s3_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket of the cloud for the calls that change nothing."""
    bucket, folder = f"moxing-{next(_numbers)}", tmp_path_factory.mktemp("filled")
    world = world_of(cloud_of(s3_port, folder / "state"), bucket, "obs", folder)
    fill(world, folder)
    yield bucket
    left = {item.url[len(f"{world.b}/") :]: item.size for item in world.buckets.list(world.b, recursive=True)}
    assert left == {"e/": 0, **{key: len(content) for key, content in OBJECTS.items()}}


def world_of(buckets: Buckets, bucket: str, scheme: str, folder: Path) -> World:
    put(folder / "L" / "x.txt", "local")
    put(folder / "L" / "s" / "y.txt", "yy")
    return World(
        moxing.file, buckets, bucket, scheme, f"{scheme}://no-such-bucket",
        str(folder / "L"), str(folder / "new" / "N"), getattr(buckets, "root", None),
    )  # fmt: skip


def fill(world: World, folder: Path) -> None:
    world.buckets.create_bucket(world.bucket)
    for key, content in OBJECTS.items():
        world.put(key, content, folder)
    world.buckets.create_directory(f"obs://{world.bucket}/e/")


@pytest.fixture(params=KINDS)
def w(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A world for a row of the table."""
    kind, _, scheme = request.param.partition("-")
    bucket = f"moxing-{next(_numbers)}" if kind == "cloud" else "bucket"
    world = world_of(request.getfixturevalue(kind), bucket, scheme or "obs", tmp_path)
    fill(world, tmp_path)
    return world


@pytest.fixture(params=KINDS)
def unchanged(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A world for a row whose call changes nothing: that of the cloud is shared by such rows."""
    kind, _, scheme = request.param.partition("-")
    bucket = request.getfixturevalue("filled") if kind == "cloud" else "bucket"
    world = world_of(request.getfixturevalue(kind), bucket, scheme or "obs", tmp_path)
    if kind != "cloud":
        fill(world, tmp_path)
    return world
