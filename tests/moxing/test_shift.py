"""`shift`: functions of Python that understand URLs. Rows 87 to 94 of the table, and what scripts use beside it."""

from __future__ import annotations

import builtins
import glob
import io
import linecache
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import PIL.Image
import pytest

from modelarts import moxing
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.local.runtime.script_path import SCRIPT_PATH
from tests.moxing.conftest import World
from tests.support.interpreters import oldest_interpreter


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
    for nothing in ("obs://", "s3:/", "obs://..", f"{w.b}/../x"):
        assert not (os.path.exists(nothing) or os.path.isfile(nothing) or os.path.isdir(nothing))


def test_lines_of_source_code(w: World):
    moxing.file.write(f"{w.b}/code.py", "first\nsecond\n")

    assert linecache.getline(f"{w.b}/code.py", 2) == "second\n"


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


# --- beside the sixteen names


def test_archives_paths_and_log_files(w: World):
    with zipfile.ZipFile(f"{w.b}/new/z.zip", "w") as archive:
        archive.writestr("x", "text")
    with zipfile.ZipFile(f"{w.b}/new/z.zip") as archive:
        assert archive.read("x") == b"text"
    path = pathlib.Path(w.b, "new", "made")
    path.mkdir(parents=True, exist_ok=True)
    (path / "p.txt").write_text("p")
    assert (path / "p.txt").is_file() and [one.name for one in path.iterdir()] == ["p.txt"]
    logger, handler = logging.Logger("of this test"), logging.FileHandler(f"{w.b}/new/log.txt")
    logger.addHandler(handler)
    logger.warning("a line")

    with open(f"{w.b}/new/log.txt") as file:
        assert file.read() == "a line\n"
    handler.close()
    assert {*w.keys("new")} - {"made/"} == {"log.txt", "made/p.txt", "z.zip"}


def test_numpy(w: World):
    array = np.arange(6.0).reshape(2, 3)
    np.save(f"{w.b}/a.npy", array)
    np.savez(f"{w.b}/a.npz", array=array)
    for name in ("a.csv", "a.csv.gz"):
        np.savetxt(f"{w.b}/{name}", array, delimiter=",")

    read = [np.load(f"{w.b}/a.npy"), np.load(f"{w.b}/a.npz")["array"], np.loadtxt(f"{w.b}/a.csv", delimiter=",")]
    read += [np.genfromtxt(f"{w.b}/{name}", delimiter=",") for name in ("a.csv", "a.csv.gz")]
    assert all((one == array).all() for one in read)


@pytest.mark.parametrize("scheme", ["s3", "obs"])
def test_pandas_with_the_text_of_a_url(folders: LocalBuckets, scheme: str):
    folders.create_bucket("bucket")
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "\u6570"]})
    for name in ("x.csv", "x.csv.gz", "x.zip"):
        frame.to_csv(f"{scheme}://bucket/new/{name}", index=False)
        assert pd.read_csv(f"{scheme}://bucket/new/{name}").equals(frame)
    frame.to_pickle(f"{scheme}://bucket/new/x.pkl")
    assert pd.read_pickle(f"{scheme}://bucket/new/x.pkl").equals(frame)
    frame.to_json(f"{scheme}://bucket/new/x.json")
    assert pd.read_json(f"{scheme}://bucket/new/x.json").equals(frame)


def test_other_libraries(folders: LocalBuckets):
    folders.create_bucket("bucket")
    joblib.dump({"a": np.arange(3)}, "obs://bucket/a.joblib")
    PIL.Image.new("L", (2, 2), 7).save("obs://bucket/a.png")

    assert joblib.load("obs://bucket/a.joblib")["a"].tolist() == [0, 1, 2]
    assert PIL.Image.open("obs://bucket/a.png").getpixel((0, 0)) == 7


def run(folders: LocalBuckets, interpreter: str, *arguments: str) -> str:
    """What a program prints that has `moxing` as jobs do."""
    folders.create_bucket("bucket")
    environment = {**os.environ, "PYTHONPATH": SCRIPT_PATH, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [interpreter, *arguments], env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_libraries_that_are_imported_later(folders: LocalBuckets):
    code = """
        import moxing as mox, sys
        mox.file.shift("os", "mox")
        assert not {"numpy", "pandas"} & set(sys.modules)
        import numpy as np, pandas as pd
        pd.DataFrame({"a": [1]}).to_csv("s3://bucket/a.csv", index=False)
        print(pd.read_csv("s3://bucket/a.csv").a[0], np.genfromtxt("s3://bucket/a.csv", skip_header=1))
        loader = np.lib._datasource.__loader__
        print(type(loader).__name__, loader is np.lib._datasource.__spec__.loader)
    """

    assert run(folders, sys.executable, "-c", textwrap.dedent(code)) == "1 1.0\nSourceFileLoader True\n"


@pytest.mark.parametrize("interpreter", sorted({oldest_interpreter(), sys.executable}))
def test_a_tour_in_old_and_new_interpreters(folders: LocalBuckets, tmp_path: Path, interpreter: str):
    tour = str(Path(__file__).with_name("shift_tour.py"))

    assert run(folders, interpreter, "-S", "-W", "error", tour, str(tmp_path / "tour")).endswith("done\n")


# --- there and back


def test_back_to_the_functions_of_python(folders: LocalBuckets):
    folders.create_bucket("bucket")
    ours = (builtins.open, io.open, os.stat, os.path.exists, pathlib.Path.resolve, np.lib._datasource.open)
    exists = os.path.exists
    moxing.file.shift("mox", "os")
    moxing.file.shift("mox", "os")

    now = (builtins.open, io.open, os.stat, os.path.exists, pathlib.Path.resolve, np.lib._datasource.open)
    assert not set(ours) & set(now)
    assert not exists("obs://bucket") and exists("/")  # for whoever has kept it
    with pytest.raises(FileNotFoundError):
        os.listdir("obs://bucket")


def test_what_somebody_else_has_replaced_since_stays(monkeypatch: pytest.MonkeyPatch):
    shifted = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path=".": ["seen", *shifted(path)])
    moxing.file.shift("mox", "os")

    assert os.listdir("/")[0] == "seen" and len(os.listdir("/")) > 1
    monkeypatch.undo()  # which puts there what it found
    moxing.file.shift("os", "mox")
    assert os.listdir("/") and os.listdir("/")[0] != "seen"


@pytest.mark.parametrize("pair", [("mox", "mox"), ("os", "os"), ("OS", "mox"), ("os", None)])
def test_other_pairs_are_refused(pair: tuple[str, str]):
    with pytest.raises(ValueError, match=r"write shift\('os', 'mox'\)"):
        moxing.file.shift(*pair)
