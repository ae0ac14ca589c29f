"""What goes beyond the table, over buckets that are folders: spellings, errors, links, several processes at once."""

from __future__ import annotations

import errno
import gzip
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import pytest

from modelarts import moxing
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.local.runtime.script_path import SCRIPT_PATH
from modelarts.moxing.framework.file import _part
from tests.support.environment import in_process
from tests.support.files import common_user, put, tree

mox = moxing.file


@pytest.fixture
def bucket(folders: LocalBuckets) -> Path:
    """The folder of a bucket with the object `d/a.txt`."""
    folder = folders.root / "bucket"
    put(folder / "d" / "a.txt", "one\n")
    return folder


# --- paths


@pytest.mark.parametrize("url", [
    "obs://bucket/d/a.txt", "s3://bucket/d/a.txt", "s3:/bucket/d/a.txt", "s3:/" + "/bucket/d/a.txt",
    os.path.join("obs://", "bucket/d", "a.txt"), "obs://bucket//d//a.txt", "obs://bucket/d/./a.txt",
    "obs://bucket/x/../d/a.txt", "S3://bucket/d/a.txt", Path("s3://bucket/d/a.txt"), b"obs://bucket/d/a.txt",
])  # fmt: skip
def test_spellings_of_a_url(bucket: Path, url: str):
    assert mox.read(url) == "one\n"
    assert mox.exists(url)


def test_no_path_leads_out_of_the_bucket(bucket: Path):
    put(bucket.parent / "other" / "secret.txt")

    with pytest.raises(ValueError, match="leads out of the bucket"):
        mox.read("obs://bucket/../other/secret.txt")
    with pytest.raises(ValueError, match="is not the path of a file relative to"):
        mox.copy_parallel("obs://bucket/d", bucket.parent / "N", file_list=["../../other/secret.txt"])
    assert not mox.exists("obs://bucket/../other/secret.txt")
    assert not mox.exists("obs://")


@pytest.mark.parametrize("url", ["obs://..", "s3://../buckets", "s3:/.", "obs://./bucket/d"])
def test_no_url_leads_out_of_the_buckets(bucket: Path, url: str):
    for call in (mox.list_directory, mox.get_size, mox.make_dirs, mox.stat):
        with pytest.raises(ValueError, match="names no bucket"):
            call(url)
    with pytest.raises(ValueError, match="names no bucket"):
        mox.remove(url, recursive=True)
    assert not mox.exists(url)
    assert not mox.is_directory(url)
    assert tree(bucket) == {"d/a.txt": "one\n"}


@pytest.mark.parametrize("key", ["a b/中文 %20.txt", "x/.hidden", "a+b&c=d;e,f/'\"`", "sp /  x", "-n"])
def test_names_with_any_characters(bucket: Path, key: str):
    mox.write(f"obs://bucket/{key}", "ü")
    mox.copy_parallel("obs://bucket", bucket.parent / "copy")

    assert mox.read(f"obs://bucket/{key}") == "ü"
    assert key in mox.list_directory("obs://bucket", recursive=True)
    assert (bucket.parent / "copy" / key).read_text(encoding="utf-8") == "ü"


@pytest.mark.parametrize("path", [None, 3, ["obs://bucket/d"]])
def test_what_is_no_path_is_named(path: object):
    with pytest.raises(TypeError, match="is not a path: write a text such as"):
        mox.exists(path)


# --- errors


@pytest.mark.parametrize(("call", "status", "text"), [
    (lambda: mox.write("obs://no-bucket/x", "x"), 404, "There is no bucket 'no-bucket'"),
    (lambda: mox.make_dirs("obs://no-bucket/x"), 404, "There is no bucket 'no-bucket'"),
    (lambda: mox.copy("obs://no-bucket/x", "N"), 404, "There is no bucket 'no-bucket'"),
    (lambda: mox.copy_parallel("obs://no-bucket/x", "N"), 404, "There is no bucket 'no-bucket'"),
    (lambda: mox.copy_parallel("obs://bucket/d", "obs://no-bucket/x"), 404, "There is no bucket 'no-bucket'"),
    (lambda: mox.copy("obs://bucket/d/a.txt", "obs://no-bucket/x"), 404, "There is no bucket 'no-bucket'"),
    (lambda: mox.read("obs://bucket/d/a.txt/x"), 404, "There is no object"),
    (lambda: mox.read("obs://bucket/d"), 404, "is a folder: copy folders by copy_parallel"),
    (lambda: mox.write("obs://bucket/d", "x"), 404, "is a folder"),
    (lambda: mox.write("obs://bucket/d/a.txt/x", "x"), 409, "a file has this name, or that of a folder above"),
    (lambda: mox.make_dirs("obs://bucket/d/a.txt"), 409, "a file has this name"),
    (lambda: mox.copy_parallel("obs://bucket/d", "N", file_list=["no"]), 404, "There is no object obs://bucket/d/no"),
])  # fmt: skip
def test_a_refusal_says_what_is_wrong(bucket: Path, local: Path, call, status: int, text: str):
    with pytest.raises(mox.MoxFileRespException, match=rf"^Error occurs when accessing to OBS\. .*{text}") as raised:
        call()

    assert raised.value.resp.status == status
    assert isinstance(raised.value, FileNotFoundError) == (status == 404)
    assert not (local / "N").exists()
    assert tree(bucket.parent) == {"bucket/d/a.txt": "one\n"}


def test_data_of_the_wrong_type_replaces_nothing(bucket: Path):
    with pytest.raises(TypeError, match="bytes cannot be written as text: give a text, or bytes with binary=True"):
        mox.write("obs://bucket/d/a.txt", b"x")
    with pytest.raises(TypeError, match="give bytes, or leave binary out"):
        mox.append("obs://bucket/d/a.txt", "x", binary=True)

    assert mox.read("obs://bucket/d/a.txt") == "one\n"


def test_a_mode_that_does_not_exist_is_named(bucket: Path):
    with pytest.raises(ValueError, match="invalid mode 'rw'"):
        mox.File("obs://bucket/d/a.txt", "rw")
    with pytest.raises(LookupError, match="no-such-encoding"):
        mox.File("obs://bucket/d/new", "w", encoding="no-such-encoding")
    assert os.listdir(bucket / "d") == ["a.txt"]
    with pytest.raises(FileExistsError):
        mox.File("obs://bucket/d/a.txt", "x")


def test_folders_are_not_moved_into_themselves(bucket: Path):
    with pytest.raises(OSError, match="cannot move obs://bucket/d into itself"):
        mox.rename("obs://bucket/d", "obs://bucket/d/e")
    mox.rename("obs://bucket/d", "s3://bucket/d/")

    assert tree(bucket) == {"d/a.txt": "one\n"}


# --- files


def test_archives_are_read_and_written(bucket: Path):
    with mox.File("obs://bucket/x.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("name", "content")
    with mox.File("obs://bucket/x.gz", "wb") as file, gzip.GzipFile(fileobj=file, mode="wb") as archive:
        archive.write(b"content")
    with mox.File("obs://bucket/x.tar", "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.add(bucket / "d", "d")

    with mox.File("obs://bucket/x.zip", "rb") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("name") == b"content"
    with mox.File("obs://bucket/x.gz", "rb") as file, gzip.GzipFile(fileobj=file) as archive:
        assert archive.read() == b"content"
    with mox.File("obs://bucket/x.tar", "rb") as file, tarfile.open(fileobj=file) as archive:
        assert archive.getnames() == ["d", "d/a.txt"]


def test_a_file_is_one_of_python(bucket: Path):
    with mox.File("obs://bucket/d/a.txt", "rb") as file:
        buffer = bytearray(3)
        assert (file.readinto(buffer), bytes(buffer), file.seekable(), file.isatty()) == (3, b"one", True, False)
        file._write_check_passed = True
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()
    assert file.closed
    with pytest.raises(ValueError, match="closed file"):
        file.read()
    with mox.File("obs://bucket/d/a.txt", "r+") as file:
        assert (file.read(), file.seek(0), file.truncate(), file.write("2\n")) == ("one\n", 0, 0, 2)
    assert io.TextIOWrapper(mox.File("obs://bucket/d/a.txt", "rb"), encoding="utf-8").read() == "2\n"


def test_what_is_not_closed_is_not_there_yet(bucket: Path):
    file = mox.File("obs://bucket/d/a.txt", "w")
    file.write("two")

    assert (mox.read("obs://bucket/d/a.txt"), mox.list_directory("obs://bucket/d")) == ("one\n", ["a.txt"])
    del file
    assert mox.read("obs://bucket/d/a.txt") == "two"


def started(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A process that runs code with `mox.file`, in the environment of the test."""
    begin = f"import os, signal, sys; sys.path.append({SCRIPT_PATH!r}); import moxing as mox\n"
    return subprocess.Popen([sys.executable, "-c", begin + code, *arguments], stderr=subprocess.DEVNULL)


def test_nothing_is_left_of_a_writer_that_is_killed(bucket: Path):
    code = """
file = mox.file.File("obs://bucket/d/new.txt", "w")
file.write("x" * 100_000)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert started(code).wait() == -signal.SIGKILL

    assert tree(bucket) == {"d/a.txt": "one\n"}


@pytest.mark.parametrize("lacks", ["_O_TMPFILE", "give_name"])
def test_file_systems_without_unnamed_files(bucket: Path, monkeypatch: pytest.MonkeyPatch, lacks: str):
    def fail(*_: object) -> None:
        raise OSError(errno.EXDEV, "no /proc")

    monkeypatch.setattr(_part, lacks, fail if lacks == "give_name" else 0)
    with mox.File("obs://bucket/d/new.txt", "w") as file:
        file.write("1")
        assert mox.list_directory("obs://bucket/d") == ["a.txt"]
        file.flush()
        file.write("2")

    assert tree(bucket) == {"d/a.txt": "one\n", "d/new.txt": "12"}


def test_flush_writes_again_what_others_have_deleted(bucket: Path):
    with mox.File("obs://bucket/log/x", "w") as file:
        file.write("1")
        file.flush()
        mox.remove("obs://bucket/log", recursive=True)
        file.write("2")
        file.flush()
        file.write("3")

    assert mox.read("obs://bucket/log/x") == "123"


# --- links and special files


def test_links_are_followed_but_not_deleted_through(bucket: Path, tmp_path: Path):
    put(tmp_path / "mine" / "x.txt", "x")
    (bucket / "link").symlink_to(tmp_path / "mine")
    (tmp_path / "mine" / "circle").symlink_to(tmp_path / "mine")

    assert mox.list_directory("obs://bucket/link") == ["circle", "x.txt"]
    assert mox.get_size("obs://bucket/link", recursive=True) == 1
    with pytest.raises(mox.MoxFileRespException, match=r"is outside of the bucket: .* is a link to"):
        mox.remove("obs://bucket/link/x.txt")
    mox.remove("obs://bucket/link", recursive=True)
    assert (bucket / "link").exists() is False
    assert (tmp_path / "mine" / "x.txt").exists()


def test_only_files_and_folders_are_copied(bucket: Path, tmp_path: Path):
    put(tmp_path / "L" / "x.txt", "x")
    (tmp_path / "L" / "empty").mkdir()
    (tmp_path / "L" / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "L" / "pipe")

    mox.copy_parallel(tmp_path / "L", "obs://bucket/up")

    assert mox.list_directory("obs://bucket/up") == ["empty", "x.txt"]


# --- several at once, and other users


def test_several_processes_copy_to_one_place(bucket: Path, tmp_path: Path):
    content = os.urandom(1 << 18)
    for number in range(5):
        put(bucket / "many" / str(number), content)
    target = tmp_path / "cache"
    code = "for _ in range(10): mox.file.copy_parallel('obs://bucket/many', sys.argv[1], threads=4)"
    copies = [started(code, str(target)) for _ in range(3)]
    seen = set()
    while any(copy.poll() is None for copy in copies):
        seen |= {file.read_bytes() for file in target.glob("[0-9]")}
        time.sleep(0.002)

    assert [copy.returncode for copy in copies] == [0, 0, 0]
    assert seen <= {content}
    assert sorted(path.name for path in target.iterdir()) == ["0", "1", "2", "3", "4"]


def test_writers_and_removers_of_one_folder(bucket: Path):
    errors = []

    def work(name: str) -> None:
        try:
            for _ in range(50):
                mox.write(f"obs://bucket/same/{name}", "x")
                mox.remove(f"obs://bucket/same/{name}")
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert mox.list_directory("obs://bucket") == ["d"]


def test_a_user_who_is_not_root(monkeypatch: pytest.MonkeyPatch):
    with common_user() as home:
        monkeypatch.setenv("MODELARTS_MODE", "local")
        monkeypatch.setenv("MODELARTS_HOME", str(home))
        (home / "local" / "buckets" / "bucket").mkdir(parents=True)
        mox.write("obs://bucket/a/x", "x")
        mox.copy_parallel("obs://bucket/a", "obs://bucket/b")
        mox.rename("obs://bucket/b", str(home / "b"))

        assert tree(home) == {"b/x": "x", "local/buckets/bucket/a/x": "x"}


@pytest.mark.parametrize(("call", "url"), [
    (lambda home: mox.copy(f"{home}/x", "obs://bucket/x"), "obs://bucket/x"),
    (lambda home: mox.copy_parallel("obs://bucket/closed", "obs://bucket/x"), "obs://bucket/closed"),
    (lambda home: mox.copy_parallel(f"{home}/L", "obs://bucket/d"), "obs://bucket/d"),
    (lambda home: mox.rename("obs://bucket/d/s", "obs://bucket/s2"), "obs://bucket/d/s"),
    (lambda home: mox.stat("obs://bucket/closed/x"), "obs://bucket/closed/x"),
    (lambda home: mox.get_size("obs://bucket/d", recursive=True), "obs://bucket/d"),
    (lambda home: mox.copy("obs://bucket/d/s", home), "obs://bucket/d/s"),
])  # fmt: skip
def test_what_this_user_may_not_do_is_refused_as_by_obs(call, url: str, monkeypatch: pytest.MonkeyPatch):
    with common_user() as home:
        monkeypatch.setenv("MODELARTS_MODE", "local")
        monkeypatch.setenv("MODELARTS_HOME", str(home))
        bucket = home / "local" / "buckets" / "bucket"
        for file in (bucket / "closed/x", bucket / "d/s", bucket / "d/t/u", home / "x", home / "L/x"):
            put(file, "x")
        for path, mode in ((bucket / "closed", 0), (bucket / "d" / "t", 0), (bucket / "d" / "s", 0)):
            path.chmod(mode)
        (bucket / "d").chmod(0o500)
        bucket.chmod(0o500)
        with pytest.raises(mox.MoxFileRespException, match=f"{url}: Permission denied") as raised:
            call(home)
        for path in (bucket, bucket / "d", bucket / "d" / "t", bucket / "closed"):
            path.chmod(0o700)

    assert raised.value.resp.status == 403


def test_a_local_folder_that_cannot_be_written_is_no_refusal_of_obs(monkeypatch: pytest.MonkeyPatch):
    with common_user() as home:
        monkeypatch.setenv("MODELARTS_MODE", "local")
        monkeypatch.setenv("MODELARTS_HOME", str(home))
        put(home / "local" / "buckets" / "bucket" / "d" / "x", "x")
        (home / "closed").mkdir(0o500)
        for target in (home / "closed", home / "closed" / "N"):
            with pytest.raises(PermissionError) as raised:
                mox.copy_parallel("obs://bucket/d", target)
            assert not isinstance(raised.value, mox.MoxFileRespException)


def test_a_local_session_that_is_given(tmp_path: Path):
    with in_process(tmp_path) as environment:
        mox.set_auth(session=environment.session)
        mox.write("obs://bucket/x", "text")

        assert [item.url for item in environment.session.obs.list("obs://bucket/")] == ["obs://bucket/x"]


def test_a_file_that_cannot_be_written_is_closed(bucket: Path):
    file = mox.File("obs://bucket/new/x", "w")
    file.write("x")
    put(bucket / "moved", "in place of the bucket").replace(bucket.parent / "file")
    bucket.rename(bucket.parent / "away")
    (bucket.parent / "file").rename(bucket)

    with pytest.raises(OSError):
        file.close()

    assert file.closed
