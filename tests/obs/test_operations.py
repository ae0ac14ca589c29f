"""The calls of `session.obs` do the same for buckets of the cloud and for local buckets."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

import pytest

from modelarts._obs.backend import Item
from modelarts._obs.buckets import Buckets
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.errors import ObsError
from tests.support.cases import case
from tests.support.files import put, tree

UGLY = ["plain", "two words", "it's \"quoted\"", "目录", "back\\slash", "%41+#?&=", "-x", "..a", "a;b,c@d"]


def keys(store: tuple[Buckets, str], path: str = "/") -> list[str]:
    """All objects of the bucket."""
    obs, root = store
    return sorted(item.path.key for item in obs.list(root + path, recursive=True))


# --- upload and download


def test_a_round_trip_keeps_content_for_every_file_name(store: tuple[Buckets, str], local: Path):
    obs, root = store

    for name in UGLY:
        with case(name):
            obs.upload_file(put(local / name, f"in {name}"), f"{root}/dir1")
            obs.download_file(f"{root}/dir1/{name}", "there/")

    assert keys(store) == sorted(f"dir1/{name}" for name in UGLY)
    assert tree(local / "there") == {name: f"in {name}" for name in UGLY}


def test_upload_dir_and_download_dir_keep_the_name_of_the_folder(store: tuple[Buckets, str], local: Path):
    obs, root = store
    for name in UGLY:
        files = {f"{name}/a.txt": f"a of {name}", f"{name}/deep/{name}": "b", f"{name}/empty.txt": ""}
        for path, text in files.items():
            put(local / path, text)
        (local / name / "empty").mkdir()

        with case(name):
            obs.upload_dir(f"{name}/", f"{root}/dir1/")
            obs.download_dir(f"{root}/dir1/{name}", f"there/{name}")

            assert tree(local / "there" / name) == files
            assert keys(store, f"/dir1/{name}/") == sorted(f"dir1/{path}" for path in files)


def test_files_are_replaced_and_the_target_may_be_a_file(store: tuple[Buckets, str], local: Path):
    obs, root = store
    obs.upload_file(put(local / "a.txt", "older"), root)
    obs.upload_file(put(local / "a.txt", "new"), root)

    obs.download_file(f"{root}/a.txt", put(local / "there.txt", "what was there"))

    assert (local / "there.txt").read_text() == "new"
    assert (local / "there.txt").stat().st_mode & 0o777 == 0o644


def test_a_name_with_an_extension_and_no_slash_is_that_of_the_object(store: tuple[Buckets, str], local: Path):
    obs, root = store
    file = put(local / "last.ckpt", "weights")

    for target in ("models/best.pt", "runs/best.pt/", "v1.5", "best"):
        obs.upload_file(file, f"{root}/{target}")
    obs.upload_file(file, f"{root}/runs/best.pt")  # there is such a folder

    assert keys(store) == ["best/last.ckpt", "models/best.pt", "runs/best.pt/last.ckpt", "v1.5/last.ckpt"]


def test_all_files_are_transferred_with_any_number_of_threads(store: tuple[Buckets, str], local: Path):
    obs, root = store
    texts = {f"code/{number % 7}/{number}.txt": str(number) for number in range(30)}
    for name, text in texts.items():
        put(local / name, text)

    obs.upload_dir("code", root, threads=20)
    obs.download_dir(f"{root}/code/", "there", threads=1)

    assert tree(local / "there") == texts


def test_links_to_files_are_followed_and_special_files_are_skipped(store: tuple[Buckets, str], local: Path):
    obs, root = store
    put(local / "code" / "a.txt")
    (local / "code" / "link.txt").symlink_to("a.txt")
    (local / "code" / "nowhere").symlink_to("none")
    os.mkfifo(local / "code" / "pipe")

    obs.upload_dir("code", root)

    assert keys(store) == ["code/a.txt", "code/link.txt"]


# --- only what has changed


def modified(store: tuple[Buckets, str]) -> dict[str, Any]:
    obs, root = store
    if isinstance(obs, LocalBuckets):
        return {item.url: item.path.under(obs.root).stat().st_ino for item in obs.list(root, recursive=True)}
    return {}


def test_sync_uploads_only_new_and_changed_files(
    store: tuple[Buckets, str], local: Path, request: pytest.FixtureRequest
):
    obs, root = store
    for name in ("same", "longer", "other", "touched"):
        put(local / "code" / name, "text")
    obs.upload_dir("code", root)
    before = modified(store)
    put(local / "code" / "longer", "longer text")
    put(local / "code" / "other", "TEXT")
    put(local / "code" / "new")
    os.utime(local / "code" / "touched", (1, 1))
    if not before:
        request.getfixturevalue("proxy").seen.clear()

    obs.upload_dir("code", root, sync=True)

    if before:
        changed = {url.rpartition("/")[2] for url, number in modified(store).items() if before.get(url) != number}
    else:
        changed = {seen.key.rpartition("/")[2] for seen in request.getfixturevalue("proxy").requests_of("PUT")}
    assert changed == {"longer", "other", "new"}
    obs.download_dir(f"{root}/code", "there")
    assert tree(local / "there" / "code") == tree(local / "code")


def test_sync_downloads_only_new_and_changed_objects(store: tuple[Buckets, str], local: Path):
    obs, root = store
    for name in ("same", "longer", "other", "new"):
        put(local / "code" / name, "text")
    obs.upload_dir("code", root)
    put(local / "there" / "code" / "same", "text")
    put(local / "there" / "code" / "longer", "longer text")
    put(local / "there" / "code" / "other", "TEXT")
    kept = (local / "there" / "code" / "same").stat().st_ino

    obs.download_dir(f"{root}/code", "there", sync=True)

    assert tree(local / "there" / "code") == dict.fromkeys(("same", "longer", "other", "new"), "text")
    assert (local / "there" / "code" / "same").stat().st_ino == kept


def test_sync_of_one_file(store: tuple[Buckets, str], local: Path):
    obs, root = store
    file = put(local / "a.txt", "1")
    for text in ("1", "1", "2"):
        file.write_text(text)
        obs.upload_file(file, root, sync=True)
        obs.download_file(f"{root}/a.txt", "there.txt", sync=True)

        assert (local / "there.txt").read_text() == text


# --- look


def test_list_returns_one_level_or_all_with_sizes_and_times(store: tuple[Buckets, str], local: Path):
    obs, root = store
    put(local / "code" / "a.txt", "1")
    put(local / "code" / "deep" / "b.txt", "22")
    obs.upload_dir("code", root)

    level = obs.list(f"{root}/code")
    everything = obs.list(f"{root}/code/", recursive=True)

    assert sorted((item.url, item.size, item.is_dir) for item in level) == [
        (f"{root}/code/a.txt", 1, False), (f"{root}/code/deep/", 0, True),
    ]  # fmt: skip
    assert sorted((item.url, item.size) for item in everything) == [
        (f"{root}/code/a.txt", 1), (f"{root}/code/deep/b.txt", 2),
    ]  # fmt: skip
    assert all(abs(item.modified - datetime.now(timezone.utc)) < timedelta(minutes=5) for item in everything)
    assert [item.url for item in obs.list(f"{root}/code/a.txt")] == [f"{root}/code/a.txt"]
    assert [item.url for item in obs.list(root)] == [f"{root}/code/"]


def test_an_empty_bucket_lists_nothing(store: tuple[Buckets, str]):
    obs, root = store

    assert obs.list(root) == []


THERE = [
    ("", True), ("/", True), ("-none", False), ("/dir1", True), ("/dir1/", True), ("/dir", False), ("/dir/", False),
    ("/dir1/file.txt", True), ("/dir1/file.txt/", False), ("/dir1/file", False), ("-none/dir1/", False),
]  # fmt: skip


def test_a_folder_exists_with_and_without_its_slash(store: tuple[Buckets, str], local: Path):
    obs, root = store
    obs.upload_file(put(local / "file.txt"), f"{root}/dir1/")

    for path, there in THERE:
        assert obs.is_obs_path_exists(root + path) is there, path
        assert obs.exists(root + path) is there, path
        assert obs.is_obs_file(root + path) is (path == "/dir1/file.txt"), path


# --- make and remove


def test_an_empty_folder_can_be_created_and_exists(store: tuple[Buckets, str], local: Path):
    obs, root = store

    obs.create_directory(f"{root}/dir1/dir2")
    obs.download_dir(f"{root}/dir1", "there")

    assert obs.exists(f"{root}/dir1/dir2/")
    assert not any(path.is_file() for path in local.rglob("*"))


def test_delete_removes_an_object_or_with_recursive_a_folder(store: tuple[Buckets, str], local: Path):
    obs, root = store
    for name in ("a.txt", "deep/b.txt", "deep/<c> & d\"'", "deeper.txt"):
        put(local / "code" / name)
    obs.upload_dir("code", root)

    obs.delete(f"{root}/code/a.txt")
    with pytest.raises(ObsError, match=r"code/deep/ is a folder; .* recursive=True"):
        obs.delete(f"{root}/code/deep")
    obs.delete(f"{root}/code/deep", recursive=True)

    assert keys(store) == ["code/deeper.txt"]


def test_a_bucket_can_be_emptied_and_then_deleted(store: tuple[Buckets, str], local: Path):
    obs, root = store
    name = root.removeprefix("obs://")
    obs.upload_file(put(local / "a.txt"), root)
    with pytest.raises(ObsError, match=f"bucket '{name}' is not empty; session.obs.delete"):
        obs.delete_bucket(name)

    obs.delete(root, recursive=True)
    assert obs.list(root) == []
    obs.delete_bucket(name)

    assert not obs.exists(root)


def test_creating_an_existing_bucket_keeps_its_content(store: tuple[Buckets, str], local: Path):
    obs, root = store
    obs.upload_file(put(local / "a.txt"), root)

    obs.create_bucket(root.removeprefix("obs://"))

    assert keys(store) == ["a.txt"]


# --- failures

Act = Callable[[Buckets, str], Any]
FAILURES: list[tuple[Act, str, str]] = [
    (lambda obs, root: obs.upload_file("none.txt", root), "there is no local file 'none.txt'", "1002"),
    (lambda obs, root: obs.upload_dir("none", root), "there is no local folder", "1002"),
    (lambda obs, root: obs.upload_file("folder", root), "upload_file: 'folder' is a folder; use upload_dir", "1002"),
    (lambda obs, root: obs.upload_dir("file.txt", root), "upload_dir: 'file.txt' is a file; use upload_file", "1002"),
    (lambda obs, root: obs.upload_file("file.txt", f"{root}-none"), "there is no bucket '{}-none'; create it", "0015"),
    (lambda obs, root: obs.upload_dir("folder", f"{root}-none"), "there is no bucket '{}-none'; create it", "0015"),
    (lambda obs, root: obs.create_directory(f"{root}-none/a/"), "there is no bucket '{}-none'; create it", "0015"),
    (lambda obs, root: obs.create_directory(f"{root}-none"), "there is no bucket '{}-none'; create it", "0015"),
    (lambda obs, root: obs.download_file(f"{root}/none.txt", "."), "there is no object obs://{}/none.txt", "0015"),
    (lambda obs, root: obs.download_file(f"{root}-none/a", "."), "there is no bucket '{}-none'", "0015"),
    (lambda obs, root: obs.download_file(f"{root}/dir1/", "."), "there is no object obs://{}/dir1/", "0015"),
    (lambda obs, root: obs.download_file(f"{root}/dir1", "."),
     "there is no object obs://{0}/dir1; obs://{0}/dir1/ is a folder; use download_dir", "0015"),
    (lambda obs, root: obs.download_dir(f"{root}/dir1/file.txt", "."),
     "there is no folder obs://{0}/dir1/file.txt/; obs://{0}/dir1/file.txt is an object; use download_file", "0015"),
    (lambda obs, root: obs.delete(f"{root}/dir1/file.txt/"), "obs://{}/dir1/file.txt is an object", "0015"),
    (lambda obs, root: obs.download_dir(f"{root}/none", "."), "there is no folder obs://{}/none/", "0015"),
    (lambda obs, root: obs.list(f"{root}/none"), "there is no folder obs://{}/none/", "0015"),
    (lambda obs, root: obs.delete(f"{root}/none"), "there is no object or folder obs://{}/none", "0015"),
    (lambda obs, root: obs.delete(f"{root}-none/a"), "there is no bucket '{}-none'", "0015"),
    (lambda obs, root: obs.delete_bucket(f"{root[6:]}-none"), "there is no bucket '{}-none'", "0015"),
    *((lambda obs, root, bucket=bucket: obs.upload_file("file.txt", f"obs://{bucket}/x/"),
       f"no bucket can have the name '{bucket}': 3 to 63 lower-case", "0104")
      for bucket in ("My_Bucket", "-bucket", "a..b", "1.2.3.4", "bücket", "b" * 64)),
    (lambda obs, root: obs.create_bucket("My_Bucket"), "bucket name 'My_Bucket': 3 to 63 lower-case", "0104"),
    (lambda obs, root: obs.upload_file("file.txt", "bucket/dir"), "'bucket/dir': an OBS path is written", "0104"),
    (lambda obs, root: obs.upload_file("file.txt", root, threads=0), "threads=0: write a whole number", "0104"),
    (lambda obs, root: obs.download_file(f"{root}/dir1/file.txt", "file.txt/x"), "cannot download obs://{}/d", "1002"),
    (lambda obs, root: obs.download_dir(f"{root}/dir1", "file.txt"), "cannot download obs://{}/dir1", "1002"),
]  # fmt: skip


def test_an_error_says_what_does_not_exist(store: tuple[Buckets, str], local: Path):
    obs, root = store
    put(local / "file.txt", "kept")
    put(local / "folder" / "a.txt", "kept")
    obs.upload_file("file.txt", f"{root}/dir1/")

    for act, sentence, code in FAILURES:
        with case(sentence):
            with pytest.raises(ObsError) as caught:
                act(obs, root)

            assert sentence.format(root.removeprefix("obs://")) in str(caught.value)
            assert (caught.value.error_msg, caught.value.error_code) == (str(caught.value), f"ModelArts.{code}")
            assert keys(store) == ["dir1/file.txt"]
            assert tree(local) == {"file.txt": "kept", "folder/a.txt": "kept"}


NO_FILES = ["../outside.txt", "a/../../outside.txt", "/etc/outside.txt", "a//b", "./a", "x" * 256, "dir/"]


@pytest.mark.parametrize("key", NO_FILES)
def test_objects_that_cannot_be_local_files_are_named_after_all_others_are_downloaded(
    obs: HuaweiBuckets, bucket: str, local: Path, monkeypatch: pytest.MonkeyPatch, key: str
):
    obs.upload_file(put(local / "good.txt"), f"obs://{bucket}/dir1/")
    real = obs._walk
    bad = Item(f"obs://{bucket}/dir1/{key}", 4)
    monkeypatch.setattr(obs, "_walk", lambda *given: iter([bad, *real(*given)]))

    with pytest.raises(ObsError) as caught:
        obs.download_dir(f"obs://{bucket}/dir1/", local / "there")

    assert "1 object(s) were skipped, all others were downloaded" in str(caught.value)
    assert repr(bad.url) in str(caught.value)
    assert tree(local.parent) == {"local/good.txt": "text", "local/there/dir1/good.txt": "text"}


def test_of_many_objects_that_cannot_be_local_files_the_first_are_named(obs: HuaweiBuckets, bucket: str, local: Path):
    for number in range(5):
        obs.client().putContent(bucket, f"dir1//{number}", b"text")
    obs.client().putContent(bucket, "dir1/file", b"text")

    with pytest.raises(ObsError, match=r"5 object.*dir1//0', .*dir1//1', .*dir1//2' …\. Copy them"):
        obs.download_dir(f"obs://{bucket}/dir1/", "there")

    assert tree(local) == {"there/dir1/file": "text"}


def test_a_name_that_is_not_utf8_is_an_error_before_anything_is_uploaded(
    obs: HuaweiBuckets, bucket: str, local: Path, proxy: Any
):
    Path(os.fsdecode(os.fsencode(local) + b"/\xff.txt")).touch()

    with pytest.raises(ObsError, match="this name is not UTF-8"):
        obs.upload_dir(local, f"obs://{bucket}/")

    assert proxy.seen == []
