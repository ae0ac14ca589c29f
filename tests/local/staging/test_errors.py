"""Errors of local code and data are reported before anything is uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelarts.errors import ArgumentError
from modelarts.session import Session
from tests.local.staging.files import fill
from tests.support.files import common_user, put
from tests.support.jobs import estimator


def test_an_ignored_script_is_reported_with_the_line_that_ignores_it(refused: Any, local: Path):
    fill(local / "src", "train.py", "deep/run.py", "other.py")
    file = put(local / "src" / ".modelartsignore", "*.csv\n/train.*\ndeep\n")

    for boot_file, pattern, line in (("train.py", "/train.*", 2), ("src/deep/run.py", "deep", 3)):
        (fault,) = refused(boot_file=boot_file)
        assert (fault.argument, fault.value) == ("boot_file", boot_file)
        assert fault.rule == f"is not sent: line {line} of {file} is {pattern!r}"


def test_a_script_ignored_by_default_is_reported_with_the_line_that_includes_it(
    sent: Any, refused: Any, local: Path
):
    fill(local / "src", ".cache/train.py", "other.py")

    (fault,) = refused(boot_file=".cache/train.py")

    ignore = local / "src" / ".modelartsignore"
    assert fault.rule == f"is not sent: .cache is ignored by default; a line !.cache in {ignore} includes it"
    put(ignore, "!.cache")
    assert sent(boot_file=".cache/train.py") == ["src/.cache/train.py", "src/other.py"]


def test_a_script_that_does_not_exist_is_an_error(refused: Any, local: Path):
    fill(local / "src", "train.py", "deep/run.py")

    assert [fault.rule for fault in refused(boot_file="tain.py")] == [f"there is no such file in {local}/src"]
    assert ["names a folder" in fault.rule for fault in refused(boot_file="deep")] == [True]


@pytest.mark.parametrize("name", ["train.ipynb", "train.py"])
def test_a_notebook_is_refused_whatever_its_name(refused: Any, local: Path, name: str):
    put(local / "src" / name, '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')

    (fault,) = refused(boot_file=name)

    assert "a Python script, .py, or a shell script, .sh; `jupyter nbconvert --to script" in fault.rule


def test_a_script_may_be_an_absolute_path(sent: Any, local: Path):
    fill(local / "src", "train.py")

    assert sent(local / "src", boot_file=str(local / "src" / "train.py")) == ["src/train.py"]


@pytest.mark.parametrize("pattern", ["*", "/src.py\n*.txt"])
def test_a_folder_without_files_is_an_error(refused: Any, local: Path, pattern: str):
    fill(local / "src", "src.py", "a.txt")
    put(local / "src" / ".modelartsignore", pattern)
    (local / "empty").mkdir()

    code, script, data = refused(boot_file="src.py", inputs="empty")

    assert (code.argument, code.rule) == ("code_dir", "has no file to send; ignored: a.txt, src.py")
    line = f"line 1 of {local}/src/.modelartsignore is {pattern.splitlines()[0]!r}"
    assert (script.argument, script.rule) == ("boot_file", f"is not sent: {line}")
    assert (data.argument, data.rule) == ("inputs", "has no file to send")


def test_a_file_as_code_dir_is_an_error(refused: Any, local: Path):
    fill(local / "src", "train.py")

    (fault,) = refused("src/train.py")

    assert fault.rule == "names a file; give the folder that contains it, and boot_file='train.py'"


def test_an_absolute_path_as_text_is_ambiguous_if_it_exists_locally(refused: Any, local: Path):
    fill(local / "src", "train.py")

    code, data = refused(str(local / "src"), str(local / "src"))

    assert {code.argument, data.argument} == {"code_dir", "inputs"}
    for fault in (code, data):
        assert f"the session has no bucket {local.parts[1]!r}; write Path('{local}/src')" in fault.rule


@pytest.mark.parametrize("closed", ["src/secret.py", "src/sub", "src/.modelartsignore"])
def test_unreadable_files_are_named(session: Session, closed: str):
    with common_user() as place:
        fill(place, "src/train.py", "src/secret.py", "src/sub/a.py", "src/.modelartsignore")
        (place / closed).chmod(0)
        with pytest.raises(ArgumentError) as caught:
            estimator(session, code_dir=place / "src").create_job_configs()

    assert [(fault.argument, fault.rule) for fault in caught.value.faults] == [
        ("code_dir", f"cannot read {place / closed}: Permission denied")
    ]


def test_a_file_that_fails_while_it_is_read_is_named(refused: Any, local: Path):
    fill(local / "src", "train.py")
    (local / "src" / "memory").symlink_to("/proc/self/mem")

    (fault,) = refused()

    assert fault.rule.startswith(f"cannot read {local}/src/memory: ")
