"""Local buckets follow the documented rules of `session.obs`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from modelarts._obs.local import copies
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.errors import ObsError
from tests.support.cases import case
from tests.support.files import put, tree

UGLY = ["plain", "two words", "it's \"quoted\"", "目录", "back\\slash", "%41+#?", "-x", "..a"]


@pytest.fixture
def obs(tmp_path: Path) -> LocalBuckets:
    """Local buckets, of which one, `bucket`, exists."""
    buckets = LocalBuckets(tmp_path / "the buckets")
    buckets.create_bucket("bucket")
    return buckets


# --- upload


@pytest.mark.parametrize("target", ["obs://bucket/dir1/", "obs://bucket/dir1", "/bucket/dir1/", "s3://bucket/dir1/"])
def test_upload_file_keeps_the_name(obs: LocalBuckets, local: Path, target: str):
    for name in UGLY:
        obs.upload_file(put(local / name), target)

    assert tree(obs.root) == {f"bucket/dir1/{name}": "text" for name in UGLY}


def test_upload_file_to_the_bucket_itself_and_over_an_older_one(obs: LocalBuckets, local: Path):
    obs.upload_file(put(local / "file.txt", "old"), "obs://bucket")
    obs.upload_file(str(put(local / "file.txt", "new")), "obs://bucket/")

    assert tree(obs.root) == {"bucket/file.txt": "new"}


@pytest.mark.parametrize("end", ["", "/"])
def test_upload_dir_keeps_the_folders_own_name(obs: LocalBuckets, local: Path, end: str):
    expected = {}
    for name in UGLY:
        put(local / name / "a.txt", "a")
        put(local / name / name / "b.txt", "b")

        obs.upload_dir(f"{name}{end}", f"obs://bucket/{name}/")

        expected |= {f"bucket/{name}/{name}/a.txt": "a", f"bucket/{name}/{name}/{name}/b.txt": "b"}
    assert tree(obs.root) == expected


def test_upload_dir_of_the_working_directory_takes_its_name(obs: LocalBuckets, local: Path):
    put(local / "a.txt")

    obs.upload_dir(".", "obs://bucket/")

    assert tree(obs.root) == {"bucket/local/a.txt": "text"}


def test_upload_dir_skips_empty_folders(obs: LocalBuckets, local: Path):
    put(local / "code" / "a.txt")
    (local / "code" / "empty").mkdir()

    obs.upload_dir("code", "obs://bucket/")

    assert not obs.is_obs_path_exists("obs://bucket/code/empty/")


# --- download


def test_download_file_to_a_folder_keeps_the_name(obs: LocalBuckets, local: Path):
    (local / "there").mkdir()

    for number, target in enumerate(("there", "there/", Path("there"))):
        for name in UGLY:
            put(obs.root / "bucket" / "dir1" / name, f"text {number}")
            obs.download_file(f"obs://bucket/dir1/{name}", target)
        assert tree(local) == {f"there/{name}": f"text {number}" for name in UGLY}


def test_download_file_to_a_new_folder_keeps_the_name(obs: LocalBuckets, local: Path):
    for number, name in enumerate(UGLY):
        put(obs.root / "bucket" / "dir1" / name)
        obs.download_file(f"obs://bucket/dir1/{name}", f"made for it {number}/")

    assert tree(local) == {f"made for it {number}/{name}": "text" for number, name in enumerate(UGLY)}


def test_download_file_to_the_name_of_a_file_writes_that_file(obs: LocalBuckets, local: Path):
    put(obs.root / "bucket" / "file.txt", "new")

    for number, name in enumerate(UGLY):
        put(local / name, "old")
        obs.download_file("obs://bucket/file.txt", name)
        obs.download_file("obs://bucket/file.txt", f"made for it {number}/{name}")

    written = [path for number, name in enumerate(UGLY) for path in (name, f"made for it {number}/{name}")]
    assert tree(local) == dict.fromkeys(written, "new")


@pytest.mark.parametrize("end", ["", "/"])
def test_download_dir_keeps_the_folders_own_name(obs: LocalBuckets, local: Path, end: str):
    put(obs.root / "bucket" / "dir1" / "other.txt")
    expected = {}
    for name in UGLY:
        put(obs.root / "bucket" / "dir1" / name / "a.txt", "a")
        put(obs.root / "bucket" / "dir1" / name / "deep" / "b.txt", "b")

        obs.download_dir(f"obs://bucket/dir1/{name}{end}", "there/")

        expected |= {f"there/{name}/a.txt": "a", f"there/{name}/deep/b.txt": "b"}
        assert tree(local) == expected


# --- is it there


THERE = [
    ("obs://bucket", True), ("obs://bucket/", True), ("obs://other", False),
    ("obs://bucket/dir1", True), ("obs://bucket/dir1/", True),
    ("obs://bucket/dir", False), ("obs://bucket/dir/", False),
    ("obs://bucket/dir1/file.txt", True), ("obs://bucket/dir1/file.txt/", False), ("/bucket/dir1/file", False),
    ("s3://bucket/dir1/file.txt", True), ("obs://other/dir1/", False),
]  # fmt: skip


def test_a_folder_exists_with_and_without_its_slash(obs: LocalBuckets):
    put(obs.root / "bucket" / "dir1" / "file.txt")

    for path, there in THERE:
        assert obs.is_obs_path_exists(path) is there, path
        assert obs.is_obs_file(path) is path.endswith(".txt"), path


# --- buckets


def test_creating_an_existing_bucket_keeps_its_content(obs: LocalBuckets):
    put(obs.root / "bucket" / "a.txt")

    obs.create_bucket("bucket")

    assert tree(obs.root) == {"bucket/a.txt": "text"}


@pytest.mark.parametrize("name", ["ab", "Bucket", "my_bucket", "a" * 64, "../x", "a/b", ""])
def test_an_invalid_bucket_name_is_reported_with_the_rule(obs: LocalBuckets, name: str):
    with pytest.raises(ObsError, match="3 to 63 lower-case letters") as caught:
        obs.create_bucket(name)

    assert caught.value.error_code == "ModelArts.0104"
    assert [path.name for path in obs.root.iterdir()] == ["bucket"]


# --- failures

Act = Callable[[LocalBuckets], Any]
FAILURES: list[tuple[Act, str, str]] = [
    (lambda obs: obs.upload_file("none.txt", "obs://bucket/"), "there is no local file 'none.txt'", "1002"),
    (lambda obs: obs.upload_file("folder", "obs://bucket/"), "'folder' is a folder; use upload_dir", "1002"),
    (lambda obs: obs.upload_dir("none", "obs://bucket/"), "upload_dir: there is no local folder", "1002"),
    (lambda obs: obs.upload_dir("file.txt", "obs://bucket/"), "'file.txt' is a file; use upload_file", "1002"),
    (lambda obs: obs.upload_file("file.txt", "obs://other/"),
     "there is no bucket 'other'; create it with session.obs.create_bucket('other')", "0015"),
    (lambda obs: obs.upload_dir("folder", "obs://other/"), "there is no bucket 'other'", "0015"),
    (lambda obs: obs.download_file("obs://bucket/none.txt", "."), "there is no object obs://bucket/none.txt", "0015"),
    (lambda obs: obs.download_file("obs://bucket/dir1/", "."), "there is no object obs://bucket/dir1/", "0015"),
    (lambda obs: obs.download_dir("obs://bucket/none", "."), "there is no folder obs://bucket/none/", "0015"),
    (lambda obs: obs.download_dir("obs://other", "."), "there is no bucket 'other'; create it with", "0015"),
    (lambda obs: obs.upload_file("file.txt", "bucket/dir1/"), "'bucket/dir1/': an OBS path is written", "0104"),
    (lambda obs: obs.download_file("obs://bucket/../x", "."), "OBS path 'obs://bucket/../x': the segments", "0104"),
    (lambda obs: obs.is_obs_path_exists("/"), "OBS path '/': the path names no bucket", "0104"),
    (lambda obs: obs.upload_file("file.txt", "obs://bucket/dir1/file.txt/"), "cannot upload to obs:", "1002"),
    (lambda obs: obs.download_file("obs://bucket/dir1/file.txt", "file.txt/x"), "cannot download obs://bucket", "1002"),
]  # fmt: skip


def test_an_error_says_what_does_not_exist(obs: LocalBuckets, local: Path):
    put(obs.root / "bucket" / "dir1" / "file.txt", "kept")
    put(local / "file.txt", "kept")
    put(local / "folder" / "a.txt", "kept")

    for act, sentence, code in FAILURES:
        with case(sentence), pytest.raises(ObsError) as caught:
            act(obs)

        assert sentence in str(caught.value)
        assert (caught.value.error_msg, caught.value.error_code) == (str(caught.value), f"ModelArts.{code}")
        assert tree(obs.root) == {"bucket/dir1/file.txt": "kept"}, sentence
        assert tree(local) == {"file.txt": "kept", "folder/a.txt": "kept"}, sentence


@pytest.mark.parametrize("act", [
    lambda obs: obs.upload_file("file.txt", "obs://bucket/"),
    lambda obs: obs.download_file("obs://bucket/file.txt", "copy.txt"),
], ids=["upload", "download"])  # fmt: skip
def test_a_failed_copy_keeps_the_previous_file(
    obs: LocalBuckets, local: Path, monkeypatch: pytest.MonkeyPatch, act: Act
):
    for path in (obs.root / "bucket" / "file.txt", local / "file.txt", local / "copy.txt"):
        put(path, "old")

    def full(source: object, target: int, size: int) -> Iterator[int]:
        yield os.write(target, b"hal")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "copied", full)
    with pytest.raises(ObsError, match="No space left on device"):
        act(obs)

    assert tree(obs.root) == {"bucket/file.txt": "old"}
    assert tree(local) == {"file.txt": "old", "copy.txt": "old"}
