"""Folders that are copied to and from local buckets: what others see meanwhile, and what failures leave."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from modelarts import moxing
from modelarts._display import progress
from modelarts._obs.local.batches import NewFolder
from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.paths import PART, ObsPath
from modelarts._obs.transfer.part_file import PartFile
from modelarts.errors import ObsError
from tests.support.files import common_user, contents, put, tree

FILES = {f"{folder}{number}.txt": f"{folder}{number}" for folder in ("", "a/", "a/deep/", "b/") for number in range(5)}


@pytest.fixture
def obs(tmp_path: Path) -> LocalBuckets:
    buckets = LocalBuckets(tmp_path / "buckets")
    buckets.create_bucket("bucket")
    return buckets


@pytest.fixture
def source(local: Path) -> Path:
    for name, text in FILES.items():
        put(local / "src" / name, text)
    return local / "src"


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of another file system, if there is one that can be written."""
    elsewhere = next((folder for folder in ("/dev/shm", "/tmp", "/var/tmp") if _is_other(folder, tmp_path)), None)
    with tempfile.TemporaryDirectory(dir=elsewhere or tmp_path) as folder:
        yield Path(folder)


def _is_other(folder: str, path: Path) -> bool:
    return os.access(folder, os.W_OK) and Path(folder).stat().st_dev != path.stat().st_dev


class Copy:
    """A copy of the folder in one direction."""

    def __init__(self, source: Path, target: Path, act: Callable[..., None]) -> None:
        self.source = source
        self.target = target
        self._act = act

    def __call__(self, **options: Any) -> None:
        self._act(**options)


@pytest.fixture(params=["upload", "download"])
def copy(request: pytest.FixtureRequest, obs: LocalBuckets, source: Path, local: Path) -> Copy:
    bucket = obs.root / "bucket"
    if request.param == "upload":
        return Copy(source, bucket / "x" / "y" / "src", partial(obs.upload_dir, source, "obs://bucket/x/y"))
    for name, text in FILES.items():
        put(bucket / "src" / name, text)
    target = local / "x" / "y"
    return Copy(bucket / "src", target / "src", partial(obs.download_dir, "obs://bucket/src", target))


def at_write(number: int, act: Callable[[], Any], once: bool = True) -> Callable[..., int]:
    """`os.write` that does something before a write, or before it and all later ones."""
    write, count = os.write, itertools.count()

    def replaced(*arguments: Any) -> int:
        place = next(count)
        if place == number or (place > number and not once):
            act()
        return write(*arguments)

    return replaced


def fail(code: int = errno.ENOSPC) -> None:
    raise OSError(code, os.strerror(code))


def interrupt() -> None:
    raise KeyboardInterrupt


def hidden(folder: Path) -> list[Path]:
    return [*folder.rglob(f"{PART}*")]


def test_nothing_of_a_new_folder_is_seen_until_it_is_complete(
    copy: Copy, tmp_path: Path, obs: LocalBuckets, monkeypatch: pytest.MonkeyPatch
):
    listed = [item.url for item in obs.list("obs://bucket/", recursive=True)]
    seen: list[bool] = []

    def look() -> None:
        same = [item.url for item in obs.list("obs://bucket/", recursive=True)] == listed
        seen.extend([same, bool(copy.target.exists()), bool(hidden(tmp_path))])

    monkeypatch.setattr(os, "write", at_write(12, look))
    copy()

    assert seen == [True, False, True]
    assert tree(copy.target) == FILES and hidden(tmp_path) == []


@pytest.mark.parametrize("failure", [fail, interrupt])
def test_files_copied_before_a_failure_stay_and_the_next_call_copies_the_others(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Callable[[], None]
):
    monkeypatch.setattr(os, "write", at_write(12, failure, once=False))
    if failure is fail:
        with pytest.raises(ObsError, match=r"cannot (up|down)load .*obs://bucket/.*\.txt: No space left on device"):
            copy()
    else:
        with pytest.raises(KeyboardInterrupt):
            copy()
    monkeypatch.undo()

    assert len(tree(copy.target)) == 12 and tree(copy.target).items() <= FILES.items() and hidden(tmp_path) == []
    copy()
    assert tree(copy.target) == FILES


def test_a_write_that_fails_once_is_repeated(copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "write", at_write(12, fail))
    copy()

    assert tree(copy.target) == FILES and hidden(tmp_path) == []


def test_what_a_killed_upload_left_is_not_listed_and_the_next_one_removes_it(
    obs: LocalBuckets, source: Path, tmp_path: Path
):
    bucket = obs.root / "bucket"
    put(bucket / "x" / "mine.txt", "mine")
    put(bucket / "there" / "src" / "mine.txt", "mine")
    program = f"""
        import itertools, os
        from modelarts._obs.local.buckets import LocalBuckets
        write, count = os.write, itertools.count()
        os.write = lambda *arguments: os._exit(0) if next(count) == 12 else write(*arguments)
        for folder in ("x", "there"):
            if not os.fork():
                LocalBuckets({str(obs.root)!r}).upload_dir({str(source)!r}, f"obs://bucket/{{folder}}/")
            os.wait()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
    assert sorted(path.parent.relative_to(bucket).as_posix() for path in hidden(bucket)) == ["there/src", "x"]
    assert [item.url[13:] for item in obs.list("obs://bucket/x", recursive=True)] == ["x/mine.txt"]
    found = {item.url[23:] for item in obs.list("obs://bucket/there/src", recursive=True)} - {"mine.txt"}
    assert all((bucket / "there" / "src" / name).read_text() == FILES[name] for name in found)

    for folder in ("x", "there"):
        obs.upload_dir(source, f"obs://bucket/{folder}/")

    assert hidden(tmp_path) == []
    assert tree(bucket / "x" / "src") == FILES and tree(bucket / "there" / "src") == {**FILES, "mine.txt": "mine"}


@pytest.mark.parametrize("target_exists", [False, True])
def test_two_copies_to_one_folder_do_not_touch_each_others_files(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target_exists: bool
):
    if target_exists:
        put(copy.target / "a" / "0.txt", "older")
    held: list[Path] = []

    def second() -> None:
        copy()
        held.extend(hidden(tmp_path))
        put(copy.target / "a" / "0.txt", "of the second")

    monkeypatch.setattr(os, "write", at_write(7, second))
    copy()

    assert len(held) == 1 and hidden(tmp_path) == []
    assert tree(copy.target) == FILES


def test_files_that_appear_in_the_folder_meanwhile_are_kept_unless_they_have_the_same_names(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def other() -> None:
        put(copy.target / "a" / "0.txt", "of another process")
        put(copy.target / "mine.txt", "mine")

    monkeypatch.setattr(os, "write", at_write(12, other))
    copy()

    assert tree(copy.target) == {**FILES, "mine.txt": "mine"} and hidden(tmp_path) == []


def test_a_folder_that_exists_gets_the_files_and_keeps_its_own(copy: Copy, tmp_path: Path):
    put(copy.target / "a" / "0.txt", "older").chmod(0o640)
    put(copy.target / "a" / "mine.txt", "mine")
    (copy.target / "0.txt").symlink_to(put(tmp_path / "elsewhere.txt", "elsewhere"))

    copy()

    assert tree(copy.target) == {**FILES, "a/mine.txt": "mine"} and hidden(tmp_path) == []
    assert (copy.target / "a" / "0.txt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "elsewhere.txt").read_text() == "elsewhere" and not (copy.target / "0.txt").is_symlink()


def test_files_that_another_process_is_writing_are_left_to_it(copy: Copy, tmp_path: Path):
    copy.target.mkdir(parents=True)
    part_file = PartFile(copy.target / "3.txt")
    abandoned = PartFile(copy.target / "4.txt").path
    (tmp_path / "locks").mkdir()
    shutil.copy(abandoned, tmp_path / "locks" / "copy")
    (tmp_path / "locks" / "copy").replace(abandoned)  # another file, which nobody has locked
    try:
        copy()

        assert hidden(tmp_path) == [part_file.path]
    finally:
        part_file.remove()
    assert tree(copy.target) == FILES


def test_a_folder_and_a_file_of_one_name_keep_each_other(copy: Copy, tmp_path: Path):
    """Where a folder has the name of a file, and a file that of a folder."""
    put(copy.target / "1.txt" / "mine.txt", "mine")
    put(copy.target / "b", "mine")

    with pytest.raises(ObsError, match=r"1.txt/ is a folder; delete it|6 object\(s\) were skipped"):
        copy()

    assert (copy.target / "1.txt" / "mine.txt").read_text() == (copy.target / "b").read_text() == "mine"
    assert hidden(tmp_path) == []


def test_a_folder_that_links_elsewhere_is_written_to(copy: Copy, tmp_path: Path, other_disk: Path):
    """Even where that is another file system, to which nothing can be renamed."""
    copy.target.mkdir(parents=True)
    (copy.target / "a").symlink_to(other_disk)

    copy()

    assert tree(copy.target).items() >= {name: text for name, text in FILES.items() if name[:2] != "a/"}.items()
    assert tree(other_disk) == {name[2:]: text for name, text in FILES.items() if name[:2] == "a/"}
    assert (copy.target / "a").is_symlink() and hidden(tmp_path) == hidden(other_disk) == []


def test_files_of_all_sizes_are_copied(copy: Copy, tmp_path: Path):
    for number, size in enumerate((0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20)):
        put(copy.source / "sizes" / f"{number}.bin", os.urandom(size))

    copy()

    assert contents(copy.target) == contents(copy.source) and hidden(tmp_path) == []


def test_many_files_appear_in_several_steps(copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(NewFolder, "most_files", 7)
    seen: list[int] = []
    monkeypatch.setattr(os, "write", at_write(16, lambda: seen.append(len(tree(copy.target)) > 0)))

    copy()

    assert seen == [True] and tree(copy.target) == FILES and hidden(tmp_path) == []


def test_modes_are_those_of_new_files_and_folders(copy: Copy):
    (copy.source / "0.txt").chmod(0o777)
    mask = os.umask(0o027)
    try:
        copy()
    finally:
        os.umask(mask)

    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in [copy.target, *copy.target.rglob("*")]}
    assert modes == {True: 0o750, False: 0o640}


def test_a_file_that_cannot_be_read_is_named_and_the_target_keeps_what_it_had():
    with common_user() as folder:
        obs = LocalBuckets(folder / "buckets")
        obs.create_bucket("bucket")
        for name in ("a.txt", "b.txt", "c.txt"):
            put(folder / "src" / name, "newer")
        (folder / "src" / "b.txt").chmod(0)
        put(obs.root / "bucket" / "there" / "src" / "b.txt", "older")

        for target in ("new", "there"):
            with pytest.raises(
                ObsError, match=rf"upload to obs://bucket/{target}/src/b.txt: Permission denied .*b\.txt"
            ):
                obs.upload_dir(folder / "src", f"obs://bucket/{target}/")

        assert (obs.root / "bucket" / "there" / "src" / "b.txt").read_text() == "older"
        assert not (obs.root / "bucket" / "new" / "src" / "b.txt").exists() and hidden(folder) == []


def test_a_target_that_cannot_be_written_is_named(obs: LocalBuckets, source: Path, local: Path):
    obs.upload_dir(source, "obs://bucket/")
    put(local / "file")

    with pytest.raises(ObsError, match=r"Not a directory|File exists|were skipped"):
        obs.download_dir("obs://bucket/src", local / "file")
    with pytest.raises(ObsError, match=r"to obs://bucket/src/0.txt/src/.*: obs://bucket/src/0.txt is an obj"):
        obs.upload_dir(source, "obs://bucket/src/0.txt/")

    assert (local / "file").read_text() == "text" and hidden(local) == hidden(obs.root) == []


def test_a_file_that_changes_while_its_folder_is_uploaded_is_an_error(
    obs: LocalBuckets, source: Path, monkeypatch: pytest.MonkeyPatch
):
    read, counts = os.read, itertools.count()

    def written_to(handle: int, size: int) -> bytes:
        content = read(handle, size)
        if content == b"a/0":
            put(source / "a" / "0.txt", f"new content {next(counts)}")
        return content

    monkeypatch.setattr(os, "read", written_to)
    obs.upload_dir(source, "obs://bucket/")

    assert (obs.root / "bucket" / "src" / "a" / "0.txt").read_text() == "new content 0"
    assert len(tree(obs.root)) == len(FILES)


def test_progress_counts_each_file_once(
    copy: Copy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    put(copy.source / "large.bin", bytes(3 << 20))

    copy(progress=True)

    assert "100 %  3.1 MB of 3.1 MB, 21 of 21 files" in capsys.readouterr().err


def test_a_relative_path_of_one_name_is_a_target(obs: LocalBuckets, source: Path, local: Path):
    obs.upload_dir(source, "obs://bucket/")

    obs.download_contents(ObsPath("bucket", "src/"), Path("there"))

    assert tree(local / "there") == FILES and hidden(local) == []


def test_jobs_do_not_see_incomplete_folders(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_MODE", "local")
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path))
    obs = LocalBuckets(tmp_path / "local" / "buckets")
    obs.create_bucket("bucket")
    seen: list[Any] = []

    def look() -> None:
        seen.append(moxing.file.list_directory("obs://bucket", recursive=True))
        seen.append(moxing.file.list_directory("obs://bucket"))

    monkeypatch.setattr(os, "write", at_write(12, look))
    obs.upload_dir(source, "obs://bucket/")

    assert seen == [[], []]
    assert moxing.file.list_directory("obs://bucket") == ["src"]


def test_some_files_of_a_folder_are_copied_in_any_order(obs: LocalBuckets, source: Path, local: Path):
    """As for the code of a job, without what is ignored."""
    put(local / "src" / "a-b" / "0.txt", "a-b")
    chosen = ["b/4.txt", "a/deep/1.txt", "a-b/0.txt", "a/1.txt", "a/deep/0.txt", "1.txt", "a/0.txt"]

    obs.upload_contents(local, ObsPath("bucket", "x/"), [source / name for name in chosen], sync=True)

    copied = tree(obs.root / "bucket" / "x" / "src")
    assert copied == {name: {**FILES, "a-b/0.txt": "a-b"}[name] for name in chosen} and hidden(local) == []


def test_a_link_to_what_is_around_the_folder_is_followed_once(
    copy: Copy, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    put(tmp_path / "around" / "other.txt", "other")
    copy.source.rename(tmp_path / "around" / "inner")
    copy.source.symlink_to(tmp_path / "around" / "inner")
    (copy.source / "up").symlink_to("..")

    copy()

    assert tree(copy.target) == {**FILES, "up/other.txt": "other"}
    assert [record.args[0].name for record in caplog.records] == ["inner"]
