"""Ignore files ignore what git would ignore."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.local.staging.files import fill
from tests.support.files import put


def test_an_ignore_file_is_read_as_git_reads_it(sent: Any, local: Path):
    patterns = ("# comments\n\n*.ckpt\n!best.ckpt\n/data/\nlogs/**/old\n"
                "notes.txt\n数据/\nall/**\n!all/but.txt\nonly/\n!only/this\n"
                "\\#a\n\\!b\nend\\ \nname   \n[ab]1\n[!ab]2\n?3\nx*y\nbad[\n!\n")  # fmt: skip
    put(local / "src" / ".modelartsignore", patterns)
    kept = ["train.py", "best.ckpt", "deep/data/a.csv", "deep/best.ckpt", "logs/new/a.log", ".hidden", "all/but.txt",
            "c1", "a2", "name   ", "bad["]  # fmt: skip
    gone = ["a.ckpt", "deep/b.ckpt", "data/a.csv", "data/deep/b.csv", "logs/new/old/a.log", "deep/notes.txt", "数据/a",
            "all/other", "only/this", "#a", "!b", "end ", "name", "a1", "c2", "x3", "xy", "x/x.y"]  # fmt: skip
    fill(local / "src", *kept, *gone)

    assert sent() == sorted(f"src/{name}" for name in kept)


def test_an_ignore_file_ignores_what_git_ignores(sent: Any, local: Path):
    names = ["train.py", "a", "b/a", "b/c/a", "b/c/d.csv", "b/keep/e.csv", "c/keep", "keep/a.csv", "keep/b/c.csv",
             "x/y/z", "x/y/b", "x/z", "doc/x/y/b", "UPPER.TXT", "!a", "#a", "a b", "c d ", "n1/t.tmp",
             "n2/q/r"]  # fmt: skip
    fill(local / "src", *names)
    rules = {
        "": ["/a", "b/*", "!b/keep/", "!b/c", "c/", "!c/keep", "**/z", "x/**/b", "[!a-z]*.TXT", "\\!a", "*\\ d\\ "],
        "n2": ["[a-y]\\/r"], "keep": ["*", "!*/", "!*.csv", "/a.*"], "n1": ["*.tmp", "!t.tmp"], "b/c": ["d.???"],
    }  # fmt: skip
    for folder, lines in rules.items():
        for name in (".gitignore", ".modelartsignore"):
            put(local / "src" / folder / name, "\n".join(lines))
    subprocess.run(["git", "init", "-q"], cwd=local / "src", check=True)
    listing = ["git", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=local / "src", check=True, capture_output=True, text=True).stdout.split("\0")

    kept = [name for name in sent() if not name.endswith("ignore")]

    assert kept == sorted(f"src/{name}" for name in listed if name and not name.endswith("ignore"))
    assert len(kept) not in (0, len(names))


def test_an_ignore_file_applies_to_its_folder_and_takes_precedence_over_those_above(sent: Any, local: Path):
    fill(local / "src", "train.py", "a.log", "lib/a.log", "lib/b.tmp", "lib/deep/c.tmp", "b.tmp", "lib/top.txt")
    fill(local / "src", "top.txt")
    put(local / "src" / ".modelartsignore", "*.log\n/top.txt\n")
    put(local / "src" / "lib" / ".modelartsignore", "!a.log\n*.tmp\n")

    assert sent() == ["src/b.tmp", "src/lib/a.log", "src/lib/top.txt", "src/train.py"]


@pytest.mark.parametrize("text", ["\ufeff*.ckpt\n", "*.ckpt\r\ndata/\r\n", "!\n*.ckpt\n", "foo\\\n*.ckpt", "[\n*.ckpt"])
def test_lines_that_git_passes_over_are_passed_over(sent: Any, local: Path, text: str):
    fill(local / "src", "train.py", "a.ckpt")
    put(local / "src" / ".modelartsignore", text)

    assert sent() == ["src/train.py"]


@pytest.mark.parametrize("content", ["数据/".encode("gbk"), "*.ckpt\n".encode("utf-16")])
def test_an_ignore_file_that_is_not_utf8_is_an_error(refused: Any, local: Path, content: bytes):
    fill(local / "src", "train.py", "deep/a.py")
    file = put(local / "src" / "deep" / ".modelartsignore", content)

    (fault,) = refused()

    assert (fault.argument, fault.rule) == ("code_dir", f"{file} is not UTF-8; save it as UTF-8")


def test_a_folder_with_the_name_of_an_ignore_file_is_a_folder(sent: Any, local: Path):
    fill(local / "src", "train.py", ".modelartsignore/a.txt")

    assert sent() == ["src/.modelartsignore/a.txt", "src/train.py"]
