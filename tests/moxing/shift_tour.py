"""A tour through Python after `shift`, in the syntax of Python 3.6: `python shift_tour.py FOLDER`.

There must be the bucket `bucket`.
"""

import bz2
import glob
import gzip
import io
import logging.handlers
import multiprocessing
import os
import pathlib
import pickle
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import moxing as mox

B = "obs://bucket"
OF_PYTHON = {name: getattr(os, name) for name in ("stat", "remove", "scandir", "walk")}


def raised(kind, call, *args, **options):
    try:
        call(*args, **options)
    except kind as error:
        return error
    raise AssertionError("nothing was raised")


def read(path, mode="r"):
    with open(path, mode) as file:
        return file.read()


def is_there(path):
    return os.path.exists(path)


def stdlib():
    """What opens files in its own way."""
    with zipfile.ZipFile(B + "/z/z.zip", "w") as archive:
        archive.writestr("x", "y")
        archive.write(B + "/d/a.txt", "a")
    with zipfile.ZipFile(B + "/z/z.zip") as archive:
        assert (archive.read("x"), archive.read("a")) == (b"y", b"one\n")
    assert zipfile.is_zipfile(B + "/z/z.zip")
    with tarfile.open(B + "/z/t.tar.gz", "w:gz") as archive:
        archive.add(sys.argv[0], "me")
    with tarfile.open(B + "/z/t.tar.gz") as archive:
        assert archive.getnames() == ["me"]
    for module, name in ((bz2, "x.bz2"), (gzip, "x.gz")):
        with module.open(B + "/z/" + name, "wt") as file:
            file.write("q")
        with module.open(B + "/z/" + name, "rt") as file:
            assert file.read() == "q"
    logger = logging.getLogger("tour")
    logger.propagate = False
    handler = logging.handlers.RotatingFileHandler(B + "/log/a.log", maxBytes=10, backupCount=1)
    logger.addHandler(handler)
    logger.warning("first line")
    logger.warning("second line")
    handler.close()
    assert (read(B + "/log/a.log.1"), read(B + "/log/a.log")) == ("first line\n", "second line\n")


def paths():
    """`pathlib`, which makes one slash of two."""
    top = pathlib.Path(B)
    file = top / "d" / "a.txt"
    assert (file.exists(), file.is_file(), file.is_dir(), file.stat().st_size) == (True, True, False, 4)
    assert file.read_text() == "one\n" and str(file.resolve()) == str(file.absolute()) == "obs:/bucket/d/a.txt"
    new = top / "new" / "x"
    new.mkdir(parents=True)
    new.mkdir(parents=True, exist_ok=True)
    raised(FileExistsError, new.mkdir)
    raised(FileNotFoundError, (top / "none" / "x").mkdir)
    (new / "y.txt").write_text("Y")
    (new / "t").touch()
    raised(FileExistsError, (new / "t").touch, exist_ok=False)
    (new / "t").rename(new / "u")
    assert sorted(one.name for one in new.iterdir()) == ["u", "y.txt"] and (new / "u").stat().st_size == 0
    assert [one.name for one in top.rglob("y.*")] == ["y.txt"] == [one.name for one in new.glob("*.txt")]
    (new / "u").unlink()
    assert not (new / "u").exists()
    assert open(file).read() == "one\n" == read(file)  # noqa: SIM115


def copies(local):
    """`shutil` between buckets and folders."""
    shutil.copy(B + "/d/a.txt", local)
    shutil.copy2(os.path.join(local, "a.txt"), B + "/copied.txt")
    assert shutil.move(B + "/copied.txt", B + "/new") == B + "/new/copied.txt"
    assert read(B + "/new/copied.txt") == "one\n"
    shutil.copytree(B + "/new", os.path.join(local, "tree"), ignore=shutil.ignore_patterns("copied*"))
    assert os.listdir(os.path.join(local, "tree", "x")) == ["y.txt"]
    assert os.listdir(os.path.join(local, "tree")) == ["x"]
    os.replace(os.path.join(local, "a.txt"), B + "/new/b.txt")
    found = glob.glob(B + "/new/**/*.txt", recursive=True)
    assert found == [B + "/new/" + name for name in ("b.txt", "copied.txt", "x/y.txt")]
    assert os.path.samefile(B + "/new", "s3://bucket/new/".replace("s3", "obs")) and not os.path.samefile(
        B + "/new/b.txt", B + "/new/copied.txt"
    )
    assert os.stat(B + "/new/b.txt")[stat.ST_SIZE] == 4
    assert os.path.relpath(B + "/new/x/y.txt", B + "/new") == "x/y.txt"
    raised(OSError, os.rmdir, B + "/new")
    os.mkdir(B + "/gone")
    os.rmdir(B + "/gone")
    raised(FileNotFoundError, os.stat, B + "/gone")
    raised(FileNotFoundError, open, B + "/gone")


def local_paths(local):
    """Everything else is as before."""
    file = os.path.join(local, "file")
    with open(file, "w", encoding="utf-8") as new, open(os.devnull, "w") as nothing:
        new.write("三")
        nothing.write("x")
    assert io.open is open and os.stat in os.supports_dir_fd and os.listdir in os.supports_fd
    folder = os.open(local, os.O_RDONLY)
    assert os.stat("file", dir_fd=folder).st_size == 3 == os.stat(os.fsencode(file)).st_size
    assert "file" in os.listdir(folder) and b"file" in os.listdir(os.fsencode(local)) and os.path.isdir(folder)
    os.close(folder)
    os.symlink("nowhere", os.path.join(local, "link"))
    shutil.copy2(os.path.join(local, "link"), os.path.join(local, "link2"), follow_symlinks=False)
    assert os.readlink(os.path.join(local, "link2")) == "nowhere" and not os.path.exists(os.path.join(local, "link"))
    with open(os.open(file, os.O_RDONLY), "rb") as opened:
        assert opened.read() == "三".encode()
    with open(os.path.join(local, "made"), "w", opener=lambda path, flags: os.open(path, flags, 0o600)):
        assert stat.S_IMODE(os.stat(os.path.join(local, "made")).st_mode) == 0o600
    with tempfile.TemporaryDirectory() as scratch, tempfile.NamedTemporaryFile(dir=scratch):
        assert os.listdir(scratch)
    assert subprocess.check_output([sys.executable, "-S", "-c", "print(1)"], stderr=subprocess.DEVNULL) == b"1\n"
    assert not os.path.exists("") and not os.path.isfile("\0") and not os.path.isdir(os.path.join(file, "x"))
    assert raised(FileNotFoundError, os.stat, "none").filename == "none"
    raised(TypeError, os.stat, "none", nonsense=1)
    raised(FileNotFoundError, os.remove, "none")
    raised(TypeError, open)

    class Keeper:  # functions that are built in are not bound
        stat = os.stat
        remove = os.remove

    assert Keeper().stat(file).st_size == 3
    Keeper().remove(file)
    assert not os.path.exists(file)


def spawned():
    """Processes that are spawned or forked, and functions that are sent to them."""
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(1) as pool:
            names = [B + "/d/a.txt", B + "/none", sys.argv[0]]
            assert pool.map(is_there, names) == [True, False, True], method
            assert pool.map(os.path.getsize, names[:1]) == [4]
    assert pickle.loads(pickle.dumps(open)) == open


def back():
    """After `shift` back, also for whoever has kept a function."""
    kept = (os.path.exists, os.stat)
    mox.file.shift("mox", "os")
    mox.file.shift("mox", "os")
    assert {name: getattr(os, name) for name in OF_PYTHON} == OF_PYTHON and io.open is open
    assert not kept[0](B + "/d/a.txt") and not os.path.exists(B) and not pathlib.Path(B).exists()
    raised(FileNotFoundError, kept[1], B)
    raised(FileNotFoundError, open, B + "/d/a.txt")
    assert tarfile.bltn_open is open and pathlib.Path(B).absolute() == pathlib.Path.cwd() / B
    mox.file.shift("os", "mox")
    assert is_there(B) and read(B + "/d/a.txt") == "one\n"
    mox.file.shift("mox", "os")


if __name__ == "__main__":
    os.makedirs(sys.argv[1])
    os.chdir(sys.argv[1])
    for _ in range(3):
        mox.file.shift("os", "mox")
    with open(B + "/d/a.txt", "w") as written:
        written.write("one\n")
    stdlib()
    paths()
    copies(sys.argv[1])
    local_paths(sys.argv[1])
    spawned()
    back()
    print("done")
