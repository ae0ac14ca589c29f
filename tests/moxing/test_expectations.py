"""The numbered expectations on `moxing.file`, each over folder buckets, by `s3://`, and over buckets of the cloud.

Rows 87 to 94 are in `test_shift.py`, 95 to 104 in `test_auth.py` and `test_module.py`.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from modelarts import moxing
from tests.moxing.conftest import OBJECTS, World
from tests.obs.fault_proxy import MARK, FaultProxy, Reply, error_reply
from tests.support.cases import case
from tests.support.files import common_user

TREE = {"a.txt": b"one\ntwo\n", "s/b.bin": b"\x00\x01\x02\xff", "s/t/c.jpg": b"J"}
KEYS = ["a.txt", "s/b.bin", "s/t/c.jpg"]


@attrs.frozen
class Row:
    """A number of the table and what is checked: a call with its result, or several steps."""

    number: int
    call: Callable[[World], Any]
    expected: Any = None

    def __str__(self) -> str:
        return str(self.number)


def contents(folder: str) -> dict[str, bytes]:
    found = {}
    for path, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(path, name)
            with open(file, "rb") as content:
                found[os.path.relpath(file, folder)] = content.read()
    return found


def is_inside(got: Any, w: World) -> Any:
    """A result with the world's names as in the table: `{b}` for the bucket, `{L}` for the local folder."""
    if isinstance(got, str):
        return got.replace(w.b, "{b}").replace(w.L, "{L}")
    if isinstance(got, (list, tuple)):
        return type(got)(is_inside(one, w) for one in got)
    return got


# --- one call, one result

VALUES = [
    Row(1, lambda w: (w.file.read(f"{w.b}/d/a.txt"), w.file.read(f"{w.L}/x.txt")), ("one\ntwo\n", "local")),
    Row(2, lambda w: w.file.read(f"{w.b}/d/s/b.bin", binary=True), b"\x00\x01\x02\xff"),
    Row(6, lambda w: w.file.read(url=f"{w.b}/top.txt", client_id="1", binary=False), "hi"),
    Row(14, lambda w: [w.file.exists(one) for one in
                       (f"{w.b}/d/a.txt", f"{w.b}/d", f"{w.b}/d/", f"{w.b}/e", w.b, w.L)], [True] * 6),
    Row(15, lambda w: [w.file.exists(one) for one in (f"{w.b}/no", f"{w.b}/d/a", f"{w.L}/no")], [False] * 3),
    Row(16, lambda w: w.file.exists(f"{w.no}/k"), False),
    Row(17, lambda w: [w.file.is_directory(one) for one in (f"{w.b}/d", f"{w.b}/d/", f"{w.b}/e", w.L)], [True] * 4),
    Row(18, lambda w: [w.file.is_directory(one) for one in (f"{w.b}/d/a.txt", f"{w.b}/no", f"{w.L}/x.txt")],
        [False] * 3),
    Row(19, lambda w: (w.file.list_directory(f"{w.b}/d"), w.file.list_directory(f"{w.b}/d/")),
        (["a.txt", "s"], ["a.txt", "s"])),
    Row(20, lambda w: w.file.list_directory(f"{w.b}/d", recursive=True),
        ["a.txt", "s", "s/b.bin", "s/t", "s/t/c.jpg"]),
    Row(21, lambda w: w.file.list_directory(w.b), ["d", "e", "top.txt"]),
    Row(22, lambda w: (w.file.list_directory(f"{w.b}/d", recursive=True, skip_dir=True),
                       w.file.list_directory(f"{w.b}/d", True, skip_file=True)), (KEYS, ["s", "s/t"])),
    Row(23, lambda w: w.file.list_directory(f"{w.b}/d", remove_sep=False), ["a.txt", "s/"]),
    Row(24, lambda w: (w.file.list_directory(f"{w.b}/e"), w.file.list_directory(f"{w.b}/e/", True)), ([], [])),
    Row(26, lambda w: (w.file.list_directory(w.L), w.file.list_directory(w.L, recursive=True)),
        (["s", "x.txt"], ["s", "s/y.txt", "x.txt"])),
    Row(31, lambda w: (w.file.get_size(f"{w.b}/d/a.txt"), w.file.get_size(f"{w.b}/d")), (8, 0)),
    Row(32, lambda w: w.file.get_size(f"{w.b}/d", recursive=True), 13),
    Row(33, lambda w: (w.file.get_size(w.L), w.file.get_size(f"{w.L}/x.txt")), (7, 5)),
    Row(39, lambda w: (w.file.glob(f"{w.b}/d/*.txt"), w.file.glob(f"{w.L}/*.txt")),
        (["{b}/d/a.txt"], ["{L}/x.txt"])),
    Row(40, lambda w: (w.file.glob(f"{w.b}/*/s/b.*"), w.file.glob(f"{w.b}/d/[a-c].tx?")),
        (["{b}/d/s/b.bin"], ["{b}/d/a.txt"])),
    Row(41, lambda w: w.file.glob(f"{w.b}/d/*.png"), []),
    Row(42, lambda w: list(w.file.walk(f"{w.b}/d")),
        [("{b}/d", ["s"], ["a.txt"]), ("{b}/d/s", ["t"], ["b.bin"]), ("{b}/d/s/t", [], ["c.jpg"])]),
    Row(44, lambda w: [(one.name, one.path) for one in w.file.scan_dir(f"{w.b}/d") if one.name.endswith(".txt")],
        [("a.txt", "{b}/d/a.txt")]),
    Row(45, lambda w: ({one.name: one.is_dir() for one in w.file.scan_dir(f"{w.b}/d")},
                       type(w.file.scan_dir(w.L)).__name__), ({"a.txt": False, "s": True}, "generator")),
]  # fmt: skip


def test_calls_return(w: World):
    for row in VALUES:
        with case(row.number):
            assert is_inside(row.call(w), w) == row.expected

    assert_unchanged(w)


def assert_unchanged(w: World) -> None:
    everything = w.buckets.list(f"obs://{w.bucket}", recursive=True)
    left = {item.url[len(f"obs://{w.bucket}/") :]: item.size for item in everything if not item.url.endswith("/")}
    assert left == {key: len(content) for key, content in OBJECTS.items()}
    assert w.file.is_directory(f"{w.b}/e") and contents(w.L) == {"x.txt": b"local", "s/y.txt": b"yy"}


# --- one call, one error

NOT_THERE = "MoxFileNotExistsException"
REFUSED = "MoxFileRespException"
FAILURES = [
    Row(3, lambda w: w.file.read(f"{w.b}/d/s/b.bin"), (UnicodeDecodeError, "can't decode byte")),
    Row(4, lambda w: w.file.read(f"{w.b}/no"), (REFUSED, "Error occurs when accessing to OBS")),
    Row(5, lambda w: w.file.read(f"{w.b}/no", exist_check=True), (NOT_THERE, "there is no file .*/no")),
    Row(25, lambda w: w.file.list_directory(f"{w.b}/d/a.txt/"), (NOT_THERE, "there is no folder")),
    Row(25, lambda w: w.file.list_directory(f"{w.b}/no"), (NOT_THERE, "there is no folder")),
    Row(30, lambda w: w.file.mk_dir(f"{w.b}/none/k"), (OSError, "none")),
    Row(30, lambda w: w.file.mk_dir(f"{w.L}/none/k"), (OSError, "none")),
    Row(37, lambda w: w.file.stat(f"{w.b}/not_exists"), (NOT_THERE, "not_exists")),
    Row(61, lambda w: w.file.copy(f"{w.b}/d/", f"{w.L}/code"), (REFUSED, "Error occurs .* copy_parallel")),
    Row(83, lambda w: w.file.File(f"{w.b}/d/a.txt", "r").write("x"), (OSError, "^File isn't open for writing$")),
    Row(83, lambda w: w.file.File(f"{w.b}/no", "r").read(), (REFUSED, "There is no object")),
]


def test_calls_raise(w: World):
    for row in FAILURES:
        kind, text = row.expected
        kind = getattr(w.file, kind) if isinstance(kind, str) else kind

        with case(row.number):
            with pytest.raises(kind, match=text) as raised:
                row.call(w)

            if row.number in (4, 83) and hasattr(raised.value, "resp"):
                assert (raised.value.resp.status, raised.value.resp.errorCode) == (404, "NoSuchKey")
                assert isinstance(raised.value, OSError)

    assert_unchanged(w)


# --- several steps

STEPS: list[Row] = []


def row(number: int) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    def add(steps: Callable[[World], None]) -> Callable[[World], None]:
        STEPS.append(Row(number, steps))
        return steps

    return add


@row(7)
def _(w: World) -> None:
    w.file.write(f"{w.b}/n/new.txt", "x")

    assert w.file.read(f"{w.b}/n/new.txt") == "x"


@row(8)
def _(w: World) -> None:
    w.file.write(f"{w.b}/top.txt", "Z")

    assert w.file.read(f"{w.b}/top.txt") == "Z"


@row(9)
def _(w: World) -> None:
    w.file.write(f"{w.b}/q", b"\xff", binary=True)

    assert w.file.get_size(f"{w.b}/q") == 1


@row(10)
def _(w: World) -> None:
    w.file.append(f"{w.b}/top.txt", "!")
    w.file.append(f"{w.L}/x.txt", "+")

    assert (w.file.read(f"{w.b}/top.txt"), w.file.read(f"{w.L}/x.txt")) == ("hi!", "local+")


@row(11)
def _(w: World) -> None:
    w.file.append(f"{w.b}/log/new.log", "l1\n")

    assert w.file.read(f"{w.b}/log/new.log") == "l1\n"


@row(12)
def _(w: World) -> None:
    w.file.append(f"{w.b}/d/s/b.bin", b"\x05", binary=True)

    assert w.file.read(f"{w.b}/d/s/b.bin", binary=True) == b"\x00\x01\x02\xff\x05"


@row(13)
def _(w: World) -> None:
    w.file.append_remote(f"{w.b}/top.txt", f"{w.b}/d/a.txt")
    w.file.append_remote(f"{w.b}/top.txt", dsturl=f"{w.b}/d/a.txt")

    assert (w.file.read(f"{w.b}/d/a.txt"), w.file.read(f"{w.b}/top.txt")) == ("one\ntwo\nhihi", "hi")


@row(27)
def _(w: World) -> None:
    w.file.make_dirs(f"{w.b}/p/q/r")

    assert w.file.is_directory(f"{w.b}/p/q/r") and w.file.is_directory(f"{w.b}/p")


@row(28)
def _(w: World) -> None:
    w.file.make_dirs(f"{w.b}/d")
    w.file.make_dirs(w.L)
    w.file.make_dirs(f"{w.L}/m/n")

    assert w.keys("d") == KEYS
    assert os.path.isdir(f"{w.L}/m/n") and os.path.exists(f"{w.L}/x.txt")


@row(29)
def _(w: World) -> None:
    w.file.mk_dir(f"{w.b}/k")
    assert w.file.is_directory(f"{w.b}/k")

    w.file.mk_dir(f"{w.b}/k")


@row(34)
def _(w: World) -> None:
    w.file.copy_parallel(f"{w.b}/d", f"{w.b}/copy")
    w.file.copy_parallel(f"{w.b}/d", w.N)

    sizes = {w.file.get_size(one, recursive=True) for one in (f"{w.b}/d", f"{w.b}/copy", w.N)}
    assert sizes == {13}


@row(35)
def _(w: World) -> None:
    found = w.file.stat(f"{w.b}/d/a.txt")

    assert (found.length, found.is_directory, found.st_size) == (8, False, 8)
    assert isinstance(found.mtime_nsec, int) and abs(found.mtime_nsec / 1e9 - time.time()) < 60


@row(36)
def _(w: World) -> None:
    found = w.file.stat(f"{w.b}/d")

    assert (found.length, found.is_directory) == (0, True)


@row(38)
def _(w: World) -> None:
    found, real = w.file.stat(f"{w.L}/x.txt"), os.stat(f"{w.L}/x.txt")

    assert (found.length, found.st_mtime) == (5, real.st_mtime)
    assert found.mtime_nsec / 1e9 == pytest.approx(real.st_mtime, abs=1e-6)
    assert (found.st_mode, found.st_ino) == (real.st_mode, real.st_ino)


@row(42)
def _(w: World) -> None:
    found = [os.path.join(root, name) for root, _, names in w.file.walk(f"{w.b}/d") for name in names]

    assert b"".join(w.file.read(one, binary=True) for one in found) == b"".join(TREE.values())


@row(43)
def _(w: World) -> None:
    walked = list(w.file.walk(f"{w.b}/d", topdown=False, onerror=print, followlinks=True))

    assert walked == list(w.file.walk(f"{w.b}/d"))
    assert list(w.file.walk(w.L)) == list(os.walk(w.L))


@row(46)
def _(w: World) -> None:
    w.file.remove(f"{w.b}/top.txt")
    w.file.remove(f"{w.b}/d/a.txt", recursive=True)

    assert w.keys("d") == KEYS[1:]
    assert not w.file.exists(f"{w.b}/top.txt")


@row(47)
def _(w: World) -> None:
    w.file.remove(f"{w.b}/top.txt/")
    w.file.remove(f"{w.b}/top.txt/", recursive=True)

    assert w.file.read(f"{w.b}/top.txt") == "hi"


@row(48)
def _(w: World) -> None:
    w.file.remove(f"{w.b}/d")
    w.file.remove(f"{w.b}/d/")

    assert w.keys("d") == KEYS


@row(49)
def _(w: World) -> None:
    w.file.copy_parallel(f"{w.b}/d", f"{w.b}/d2")
    w.file.remove(f"{w.b}/d", recursive=True)
    w.file.remove(f"{w.b}/d2/", recursive=True)

    assert w.file.list_directory(w.b) == ["e", "top.txt"]


@row(51)
def _(w: World) -> None:
    w.file.remove(f"{w.b}/no")
    w.file.remove(f"{w.b}/no", recursive=True)
    w.file.remove(f"{w.L}/no")

    assert w.keys("d") == KEYS


@row(52)
def _(w: World) -> None:
    w.file.remove(f"{w.L}/x.txt")
    assert os.listdir(w.L) == ["s"]

    w.file.remove(w.L, recursive=True)
    assert not os.path.exists(w.L)


@row(53)
def _(w: World) -> None:
    w.file.rename(f"{w.b}/top.txt", f"{w.b}/d/t2.txt")

    assert (w.file.read(f"{w.b}/d/t2.txt"), w.file.exists(f"{w.b}/top.txt")) == ("hi", False)


@row(54)
def _(w: World) -> None:
    w.file.rename(f"{w.b}/top.txt", f"{w.N}/t.txt")

    assert contents(w.N) == {"t.txt": b"hi"}
    assert not w.file.exists(f"{w.b}/top.txt")


@row(55)
def _(w: World) -> None:
    w.file.rename(f"{w.L}/x.txt", f"{w.b}/x.txt")

    assert w.file.read(f"{w.b}/x.txt") == "local"
    assert not os.path.exists(f"{w.L}/x.txt")


@row(56)
def _(w: World) -> None:
    w.file.rename(f"{w.b}/d", f"{w.b}/d2")

    assert (w.keys("d2"), w.file.exists(f"{w.b}/d")) == (KEYS, False)


@row(57)
def _(w: World) -> None:
    w.file.copy(f"{w.b}/top.txt", f"{w.b}/c/t.txt")

    assert (w.file.read(f"{w.b}/c/t.txt"), w.file.read(f"{w.b}/top.txt")) == ("hi", "hi")


@row(58)
def _(w: World) -> None:
    w.file.copy(f"{w.b}/top.txt", f"{w.N}/t.txt")

    assert contents(w.N) == {"t.txt": b"hi"}


@row(59)
def _(w: World) -> None:
    w.file.copy(f"{w.L}/x.txt", f"{w.b}/x.txt")
    w.file.copy(f"{w.L}/x.txt", f"{w.L}/z.txt")

    assert (w.file.read(f"{w.b}/x.txt"), w.file.read(f"{w.L}/z.txt")) == ("local", "local")


@row(60)
def _(w: World) -> None:
    w.file.copy(f"{w.b}/top.txt", f"{w.b}/d/a.txt")

    assert w.file.read(f"{w.b}/d/a.txt") == "hi"


@row(62)
def _(w: World) -> None:
    with pytest.raises(w.file.MoxFileRespException):
        w.file.copy(f"{w.b}/no", w.N)
    w.file.copy(f"{w.L}/x.txt", f"{w.b}/up/")

    assert not os.path.exists(os.path.dirname(w.N))
    assert w.keys("up") == ["x.txt"]


@row(63)
def _(w: World) -> None:
    results = [
        w.file.copy_parallel(f"{w.b}/d", w.N), w.file.copy_parallel(f"{w.b}/d/", f"{w.N}2"),
        w.file.copy_parallel(f"{w.b}/d", f"{w.N}3/"), w.file.copy_parallel(f"{w.b}/d/", f"{w.N}4/"),
    ]  # fmt: skip

    assert results == [None] * 4
    assert [contents(f"{w.N}{one}") for one in ("", "2", "3", "4")] == [TREE] * 4


@row(64)
def _(w: World) -> None:
    w.file.copy_parallel(w.L, f"{w.b}/up")
    w.file.copy_parallel(w.L, f"{w.b}/up")

    assert w.keys("up") == ["s/y.txt", "x.txt"]
    assert contents(w.L) == {"x.txt": b"local", "s/y.txt": b"yy"}


@row(65)
def _(w: World) -> None:
    w.file.copy_parallel(f"{w.b}/d", f"{w.b}/d3")

    assert (w.keys("d3"), w.keys("d")) == (KEYS, KEYS)


@row(66)
def _(w: World) -> None:
    os.makedirs(w.N)
    w.file.write(f"{w.N}/keep.txt", "k")
    w.file.write(f"{w.N}/a.txt", "old")
    w.file.copy_parallel(f"{w.b}/d", w.N)

    assert contents(w.N) == {**TREE, "keep.txt": b"k"}


@row(67)
def _(w: World) -> None:
    w.file.copy_parallel(f"{w.b}/d", w.N, file_list=["s/b.bin"])

    assert contents(w.N) == {"s/b.bin": TREE["s/b.bin"]}


@row(68)
def _(w: World) -> None:
    w.file.copy_parallel(f"{w.b}/d", w.N, threads=0, is_processing=False)
    w.file.copy_parallel(f"{w.b}/d", f"{w.N}2", None, 4, False, False)

    assert [contents(w.N), contents(f"{w.N}2")] == [TREE, TREE]


@row(69)
def _(w: World) -> None:
    w.file.copy_parallel(f"{w.b}/top.txt", f"{w.N}/t.txt")
    w.file.copy_parallel(f"{w.L}/x.txt", f"{w.b}/ds/x")

    assert (contents(w.N), w.file.read(f"{w.b}/ds/x")) == ({"t.txt": b"hi"}, "local")


@row(74)
def _(w: World) -> None:
    with w.file.File(f"{w.b}/f.txt", "w") as file:
        file.write("t")

    assert w.file.read(f"{w.b}/f.txt") == "t"


@row(75)
def _(w: World) -> None:
    url = f"{w.b}/d/a.txt"
    with w.file.File(url, "r") as one, w.file.File(url) as two, w.file.File(url) as three:
        assert one.readlines() == ["one\n", "two\n"]
        assert [two.readline(), two.readline(), two.readline()] == ["one\n", "two\n", ""]
        assert list(three) == ["one\n", "two\n"]


@row(76)
def _(w: World) -> None:
    with w.file.File(f"{w.b}/d/a.txt", "rb") as file:
        assert file.readline() == b"one\n"


@row(77)
def _(w: World) -> None:
    with w.file.File(f"{w.b}/d/a.txt", "rb") as file:
        assert (file.read(3), file.tell(), file.seek(-4, 2), file.read()) == (b"one", 3, 4, b"two\n")


@row(78)
def _(w: World) -> None:
    url = f"{w.b}/d/a.txt"
    with w.file.File(url, "rb") as file, w.file.File(url, "r") as one, w.file.File(f"{w.b}/new", "w") as two:
        assert (file.size(), file.name, file.mode) == (8, url, "rb")
        assert (one.readable(), one.writable(), two.readable(), two.writable()) == (True, False, False, True)


@row(79)
def _(w: World) -> None:
    for mode in ("br", "bw", "ba", "br+", "bw+", "ba+", "rb", "wb", "ab", "rb+"):
        with w.file.File(f"{w.b}/d/s/b.bin", mode) as file:
            assert file.readable() == ("r" in mode or "+" in mode)


@row(80)
def _(w: World) -> None:
    with w.file.File(f"{w.b}/d/a.txt", "rb+") as file:
        assert file.read(3) == b"one"
        file.write(b"X")

    assert w.file.read(f"{w.b}/d/a.txt") == "oneXtwo\n"


@row(81)
def _(w: World) -> None:
    with w.file.File(f"{w.b}/top.txt", "a") as file:
        file.write("!")

    assert w.file.read(f"{w.b}/top.txt") == "hi!"


@row(82)
def _(w: World) -> None:
    with w.file.File(f"{w.b}/n/w.txt", "w") as file:
        file.writelines(["p", "q"])
        file.flush()
        assert w.file.read(f"{w.b}/n/w.txt") == "pq"
        file.write("r")

    assert w.file.read(f"{w.b}/n/w.txt") == "pqr"


@row(84)
def _(w: World) -> None:
    pandas = pytest.importorskip("pandas", reason="an extra of the tests")
    frame = pandas.DataFrame({"x": [1, 2], "y": ["a", "你"]})
    with w.file.File(f"{w.b}/t.csv", "w") as file:
        frame.to_csv(file, index=False)

    for mode in ("r", "rb"):
        with w.file.File(f"{w.b}/t.csv", mode) as file:
            pandas.testing.assert_frame_equal(pandas.read_csv(file), frame)


@row(85)
def _(w: World) -> None:
    with w.file.File(f"{w.b}/o.pickle", "wb") as file:
        pickle.dump({"x": list(range(5000))}, file)
    with w.file.File(f"{w.b}/o.json", "w") as file:
        json.dump({"名": 1}, file, ensure_ascii=False)

    with w.file.File(f"{w.b}/o.pickle", "rb") as file:
        assert pickle.load(file) == {"x": list(range(5000))}
    with w.file.File(f"{w.b}/o.json", "r") as file:
        assert json.load(file) == {"名": 1}


@row(85)
def _(w: World) -> None:
    numpy = pytest.importorskip("numpy", reason="an extra of the tests")
    image = pytest.importorskip("PIL.Image", reason="an extra of the tests")
    with w.file.File(f"{w.b}/a.npy", "wb") as file:
        numpy.save(file, numpy.arange(6).reshape(2, 3))
    with w.file.File(f"{w.b}/i.jpg", "wb") as file:
        image.new("RGB", (4, 3), "red").save(file, "JPEG")

    with w.file.File(f"{w.b}/a.npy", "rb") as file:
        assert numpy.load(file).tolist() == [[0, 1, 2], [3, 4, 5]]
    with w.file.File(f"{w.b}/i.jpg", "rb") as file:
        assert numpy.asarray(image.open(file)).shape == (3, 4, 3)


@row(86)
def _(w: World) -> None:
    logger = logging.Logger("a job")
    stream = w.file.File(f"{w.b}/log/job.log", "w")
    logger.addHandler(logging.StreamHandler(stream))
    logger.info("m")
    stream.flush()

    assert w.file.read(f"{w.b}/log/job.log") == "m\n"
    stream.close()


@pytest.mark.parametrize("row", STEPS, ids=str)
def test_steps(w: World, row: Row):
    row.call(w)


# --- rows that need logs, or storage of one kind


def test_row_70_an_empty_folder(w: World, caplog: pytest.LogCaptureFixture):
    w.file.copy_parallel(f"{w.b}/e", w.N)

    assert os.listdir(w.N) == []
    assert "No files to copy" in caplog.text


def test_row_71_a_missing_source(w: World, caplog: pytest.LogCaptureFixture):
    for source, target in ((f"{w.b}/no", w.N), (f"{w.L}/no", f"{w.b}/n")):
        caplog.clear()
        w.file.copy_parallel(source, target)
        assert "No files to copy" in caplog.text
        assert not w.file.exists(target)


@pytest.fixture
def keys_that_are_both(w: World, tmp_path: Path) -> World:
    """A bucket with the keys `f/k` and `f/k/z`; a folder of this machine cannot have both."""
    w.put("f/k/z", "z", tmp_path)
    w.put("f/k", "k", tmp_path / "other")
    return w


@pytest.mark.parametrize("w", ["cloud"], indirect=True)
def test_row_50_remove_of_a_key_that_is_a_folder_too(keys_that_are_both: World):
    w = keys_that_are_both

    w.file.remove(f"{w.b}/f/k/", recursive=True)
    assert w.keys("f") == ["k"]
    w.file.write(f"{w.b}/f/k/z", "z")
    w.file.remove(f"{w.b}/f/k", recursive=True)
    assert w.keys("f") == ["k/z"]
    w.file.write(f"{w.b}/f/k", "k")
    w.file.remove(f"{w.b}/f/k")
    assert w.keys("f") == ["k/z"]


@pytest.mark.parametrize("w", ["cloud"], indirect=True)
def test_row_73_a_bucket_that_refuses(w: World, s3_port: int, caplog: pytest.LogCaptureFixture):
    proxy = FaultProxy(s3_port)
    proxy.rule = lambda request: error_reply(403, "AccessDenied")
    w.file.set_auth(server=proxy.url)
    try:
        with pytest.raises(w.file.MoxFileRespException) as raised:
            w.file.copy_parallel(f"{w.b}/d", w.N)
    finally:
        proxy.close()

    assert (raised.value.resp.status, raised.value.resp.errorCode) == (403, "AccessDenied")
    assert "stat:403" in caplog.text


LISTING = """<ListBucketResult><Name>n</Name><IsTruncated>false</IsTruncated>
<Contents><Key>d/../../evil</Key><Size>1</Size></Contents><Contents><Key>d/a.txt</Key><Size>8</Size></Contents>
</ListBucketResult>"""


@pytest.mark.parametrize("w", ["cloud"], indirect=True)
def test_keys_lead_to_no_other_folder(w: World, s3_port: int, caplog: pytest.LogCaptureFixture):
    proxy = FaultProxy(s3_port)
    proxy.rule = lambda request: Reply(200, LISTING.encode(), MARK) if "max-keys=1000" in request.target else None
    w.file.set_auth(server=proxy.url)
    try:
        w.file.copy_parallel(f"{w.b}/d", w.N)
    finally:
        proxy.close()

    assert contents(os.path.dirname(w.N)) == {"N/a.txt": b"one\ntwo\n"}
    assert "d/../../evil is not copied: no file can have this name" in caplog.text


def test_row_73_a_folder_that_cannot_be_read(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    with common_user() as home:
        monkeypatch.setenv("MODELARTS_MODE", "local")
        monkeypatch.setenv("MODELARTS_HOME", str(home))
        closed = home / "local" / "buckets" / "bucket" / "d"
        closed.mkdir(parents=True)
        closed.chmod(0)
        with pytest.raises(moxing.file.MoxFileRespException) as raised:
            moxing.file.copy_parallel("obs://bucket/d", str(home / "N"))
        closed.chmod(0o700)

    assert raised.value.resp.status == 403
    assert "stat:403" in caplog.text


@pytest.mark.parametrize("w", ["cloud"], indirect=True)
def test_row_72_download_of_a_key_that_is_a_folder_too(keys_that_are_both: World):
    w = keys_that_are_both

    with pytest.raises(w.file.MoxFileNameDuplicateException, match="k is an object and a folder"):
        w.file.copy_parallel(f"{w.b}/f", w.N)


def test_the_rows_of_this_page_are_those_of_the_table():
    numbers = {one.number for one in [*VALUES, *FAILURES, *STEPS]} | {50, 70, 71, 72, 73}

    assert numbers == set(range(1, 87))
