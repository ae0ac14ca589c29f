"""Moves to the place where something is already, chosen files, folders that stay, and files of forked processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelarts.moxing.framework.file import _cloud
from tests.moxing.conftest import OBJECTS, World

KEYS = sorted(OBJECTS)


def other(w: World) -> str:
    """The bucket by the other scheme."""
    return f"{'s3' if w.scheme == 'obs' else 'obs'}://{w.bucket}"


def objects(w: World) -> list[str]:
    keys = w.keys()
    return sorted(key for key in keys if not key.endswith("/"))


@pytest.mark.parametrize(("source", "target"), [
    ("top.txt", "top.txt"), ("top.txt", ""), ("top.txt", "//top.txt"), ("d/a.txt", "d/"), ("d", "d"), ("d/", "d"),
])  # fmt: skip
def test_what_is_moved_to_its_own_place_stays(w: World, source: str, target: str):
    w.file.rename(f"{w.b}/{source}", f"{w.b}/{target}")
    w.file.rename(f"{w.b}/{source}", f"{other(w)}/{target}")

    assert objects(w) == KEYS


@pytest.mark.parametrize(("source", "target"), [("d", "d/in"), ("d/s", "d/s/t/x"), ("", "all")])
def test_a_folder_of_a_bucket_is_not_moved_into_itself(w: World, source: str, target: str):
    for bucket in (w.b, other(w)):
        with pytest.raises(OSError, match=r"cannot move .* into itself"):
            w.file.rename(f"{w.b}/{source}", f"{bucket}/{target}")

    assert objects(w) == KEYS


def test_local_files_and_folders_are_not_moved_into_themselves(w: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(Path(w.L).parent)
    os.symlink("L", "link")

    w.file.rename("L/x.txt", w.L)
    w.file.rename("L/x.txt", "link/x.txt")
    w.file.rename("./L/", w.L)
    w.file.rename(w.L, "link")
    for target in (f"{w.L}/in", "link/in"):
        with pytest.raises(OSError, match=r"cannot move .* into itself"):
            w.file.rename("L", target)

    assert w.file.list_directory(w.L, recursive=True) == ["s", "s/y.txt", "x.txt"]


def test_empty_folders_are_moved_and_copied(w: World):
    os.makedirs(f"{w.L}/empty/folder")
    w.file.make_dirs(f"{w.b}/d/empty")

    w.file.copy_parallel(w.L, f"{w.b}/up")
    w.file.rename(f"{w.b}/d", f"{w.b}/moved")

    assert w.file.list_directory(f"{w.b}/up", recursive=True, skip_file=True) == ["empty", "empty/folder", "s"]
    assert w.file.list_directory(f"{w.b}/moved", skip_file=True) == ["empty", "s"]


@pytest.mark.parametrize("w", ["cloud"], indirect=True)
def test_a_folder_is_not_moved_without_what_cannot_be_copied(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(_cloud, "can_be_file", lambda name: name != "s/b.bin")

    with pytest.raises(OSError, match=r"cannot move .*: it contains names that no file can have"):
        w.file.rename(f"{w.b}/d", f"{w.b}/moved")

    assert objects(w) == KEYS
    assert "s/b.bin is not copied" in caplog.text


def test_deleting_a_link_with_a_slash_keeps_what_it_links_to(w: World):
    os.symlink("s", f"{w.L}/link")

    w.file.remove(f"{w.L}/link/")
    assert os.path.islink(f"{w.L}/link")
    w.file.remove(f"{w.L}/link/", recursive=True)

    assert w.file.list_directory(w.L, recursive=True) == ["s", "s/y.txt", "x.txt"]


def test_file_list_as_list_directory_returns_it(w: World):
    w.file.copy_parallel(f"{w.b}/d", w.N, file_list=w.file.list_directory(f"{w.b}/d", recursive=True))
    w.file.copy_parallel(w.L, f"{w.b}/up", file_list=w.file.list_directory(w.L), threads=None)

    assert w.file.list_directory(w.N, recursive=True) == ["a.txt", "s", "s/b.bin", "s/t", "s/t/c.jpg"]
    assert w.keys("up") == ["s/y.txt", "x.txt"]


def test_spellings_in_file_list(w: World):
    w.file.copy_parallel(f"{w.b}/d", w.N, file_list=["./a.txt", "s//b.bin", "/s/./b.bin", "s/t/"])

    assert w.file.list_directory(w.N, recursive=True) == ["a.txt", "s", "s/b.bin", "s/t", "s/t/c.jpg"]


def test_a_folder_that_was_created_stays_when_it_becomes_empty(w: World):
    w.file.make_dirs(f"{w.b}/out")
    w.file.mk_dir(f"{w.b}/out/best")
    w.file.write(f"{w.b}/out/best/first", "1")
    w.file.write(f"{w.b}/out/best/second", "2")

    w.file.remove(f"{w.b}/out/best/first")
    w.file.rename(f"{w.b}/out/best/second", f"{w.b}/moved")

    assert w.file.list_directory(f"{w.b}/out", recursive=True) == ["best"]


def test_a_folder_that_came_with_an_object_goes_with_it(w: World):
    w.file.make_dirs(f"{w.b}/out")
    w.file.remove(f"{w.b}/out", recursive=True)

    w.file.write(f"{w.b}/out/x", "1")
    w.file.remove(f"{w.b}/out/x")

    assert not w.file.exists(f"{w.b}/out")


def test_a_missing_bucket_is_named(w: World):
    for call in (lambda: w.file.read(f"{w.no}/x"), lambda: w.file.write(f"{w.no}/x", "1")):
        with pytest.raises(w.file.MoxFileRespException, match="There is no bucket 'no-such-bucket'") as caught:
            call()

        assert (caught.value.resp.status, caught.value.resp.errorCode) == (404, "NoSuchBucket")


def test_a_forked_process_that_closes_a_file_leaves_it_to_the_first(w: World):
    with w.file.File(f"{w.b}/forked", "w") as file:
        file.write("text")
        pid = os.fork()
        if not pid:
            try:
                file.close()
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    assert w.file.read(f"{w.b}/forked") == "text"
