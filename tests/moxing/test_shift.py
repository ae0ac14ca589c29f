"""`shift`: functions of Python that understand URLs. Rows 87 to 94 of the table, and what scripts use beside it."""

from __future__ import annotations

import builtins
import glob
import io
import os
import pathlib
import shutil
from collections.abc import Iterator

import pytest

from modelarts import moxing
from tests.moxing.conftest import World


@pytest.fixture(autouse=True)
def shifted() -> Iterator[None]:
    """Every test begins after `shift`, and leaves the functions of Python."""
    moxing.file.shift("os", "mox")
    yield
    moxing.file.shift("mox", "os")


# --- the rows


def test_row_87_names_and_text(w: World):
    assert os.listdir(f"{w.b}/d") == ["a.txt", "s"]
    with open(f"{w.b}/d/a.txt") as file:
        assert file.read() == "one\ntwo\n"


def test_row_88_questions(w: World):
    file = f"{w.b}/d/a.txt"

    assert (os.path.exists(file), os.path.isdir(file), os.path.getsize(file), os.path.isfile(file)) == (
        True, False, 8, True,
    )  # fmt: skip
    assert (os.path.exists(f"{w.b}/no"), os.path.isdir(f"{w.b}/d"), os.path.isfile(f"{w.b}/d")) == (False, True, False)
    assert os.access(file, os.R_OK) and not os.path.islink(file) and os.path.lexists(file)


def test_row_89_new_folders(w: World):
    os.makedirs(f"{w.b}/p/q")
    os.mkdir(f"{w.b}/p2")

    assert [os.path.isdir(f"{w.b}/{name}") for name in ("p", "p/q", "p2")] == [True] * 3


def test_row_90_removals_and_a_rename(w: World):
    os.rename(f"{w.b}/top.txt", f"{w.b}/moved.txt")
    shutil.rmtree(f"{w.b}/d")
    assert w.keys() == ["e/", "moved.txt"]

    os.remove(f"{w.b}/moved.txt")
    os.remove(f"{w.b}/moved.txt")  # as `moxing.file.remove`, which does nothing

    assert w.keys() == ["e/"]


def test_row_91_copies(w: World):
    assert shutil.copyfile(f"{w.b}/top.txt", f"{w.N}/t.txt") == f"{w.N}/t.txt"
    assert shutil.copytree(f"{w.b}/d", f"{w.N}/d") == f"{w.N}/d"

    assert sorted(str(path.relative_to(w.N)) for path in pathlib.Path(w.N).rglob("*.*")) == [
        "d/a.txt", "d/s/b.bin", "d/s/t/c.jpg", "t.txt",
    ]  # fmt: skip


def test_row_92_searching(w: World):
    assert glob.glob(f"{w.b}/d/*.txt") == [f"{w.b}/d/a.txt"]
    assert list(glob.iglob(f"{w.b}/d/**/*.jpg", recursive=True)) == [f"{w.b}/d/s/t/c.jpg"]
    assert [(folder, names) for folder, _, names in os.walk(f"{w.b}/d")] == [
        (f"{w.b}/d", ["a.txt"]), (f"{w.b}/d/s", ["b.bin"]), (f"{w.b}/d/s/t", ["c.jpg"]),
    ]  # fmt: skip
    with os.scandir(f"{w.b}/d") as found:
        assert {entry.name: (entry.path, entry.is_dir()) for entry in found} == {
            "a.txt": (f"{w.b}/d/a.txt", False), "s": (f"{w.b}/d/s", True),
        }  # fmt: skip
    assert os.stat(f"{w.b}/d/a.txt").st_size == 8


def test_row_93_local_paths(w: World):
    with open(f"{w.L}/x.txt", encoding="utf-8") as file, open(os.devnull, "w") as nothing:
        nothing.write(file.read())
    os.makedirs(w.L, exist_ok=True)

    with pytest.raises(FileExistsError):
        os.makedirs(w.L)


def test_row_94_several_calls(w: World):
    functions = (builtins.open, io.open, os.stat, os.path.exists, pathlib.Path.resolve)
    for _ in range(3):
        moxing.file.shift("os", "mox")

    assert functions == (builtins.open, io.open, os.stat, os.path.exists, pathlib.Path.resolve)
    assert os.listdir(f"{w.b}/d") == ["a.txt", "s"] and os.listdir(w.L) and os.path.exists(w.L)
