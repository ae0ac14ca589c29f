"""What is ignored by default, and how it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelarts._submit.staging.ignore import ENVIRONMENTS, NAMES, FileFilter
from modelarts.local import daemon
from modelarts.session import Session
from tests.local.staging.files import files_in, fill
from tests.support.files import common_user, put
from tests.support.jobs import estimator


@pytest.mark.parametrize("above", ["", "deep/er/"])
def test_names_ignored_by_default_can_be_included(sent: Any, local: Path, above: str):
    names = [name.replace("*", "name") for name in NAMES]
    fill(local / "src", "train.py", *(above + name for name in names))
    assert sent() == ["src/train.py"]

    for name in names:
        (local / "src" / above / name).unlink()
    fill(local / "src", *(f"{above}{name}/inside" for name in names))
    assert sent() == ["src/train.py"]

    for included in (names[::2], names[1::2], names):
        put(local / "src" / above / ".modelartsignore", "".join(f"!{name}\n" for name in included))
        assert sent() == sorted(["src/train.py", *(f"src/{above}{name}/inside" for name in included)])


@pytest.mark.parametrize("mark", ENVIRONMENTS)
def test_environments_are_ignored_by_content_not_by_name(sent: Any, local: Path, mark: str):
    fill(local / "src", "train.py", f"my env/{mark}/x" if mark == "conda-meta" else f"my env/{mark}", "my env/lib/a.py")
    fill(local / "src", "env/gym.py", "venv/code.py", "cache/a", "build/b", "git/c")

    assert sent() == ["src/build/b", "src/cache/a", "src/env/gym.py", "src/git/c", "src/train.py", "src/venv/code.py"]
    put(local / "src" / ".modelartsignore", "!my env\nbuild\ncache\ngit\n")
    assert f"src/my env/{mark}" in " ".join(sent())


def test_a_pattern_for_all_folders_includes_none_that_is_ignored_by_default(sent: Any, local: Path):
    fill(local / "src", "train.py", "lib/a.py", "lib/a.csv", ".git/hook.py", "lib/__pycache__/a.py", ".venv/b.py")
    put(local / "src" / ".modelartsignore", "*\n!*/\n!*.py\n")

    assert sent() == ["src/lib/a.py", "src/train.py"]


def test_the_state_of_this_package_is_ignored(local: Path):
    fill(local / "src", "train.py")
    home = local / "src" / ".state"
    try:
        with Session.local(home) as session:
            saved = estimator(session, code_dir="src", boot_file="train.py")
            places = [saved.create_job_configs().get_job_configs_info()["app_url"] for _ in range(3)]
    finally:
        daemon.stop(home)

    assert len(set(places)) == 1
    assert [name for name in files_in(home / "local" / "buckets") if "complete" not in name] == [
        f"{places[0].strip('/')}/train.py"
    ]


def test_the_state_of_this_package_is_an_error_as_code_dir(refused: Any, home: Path):
    put(home / "train.py")

    (fault,) = refused(home)

    assert fault.rule == "this folder holds the state of this package and is not sent; give another"


def test_ignored_files_do_not_change_the_path(sent: Any, local: Path, capsys: pytest.CaptureFixture[str]):
    fill(local / "src", "train.py")
    put(local / "src" / ".modelartsignore", "logs/\n")
    sent()

    fill(local / "src", "logs/a.log", "__pycache__/train.pyc")
    capsys.readouterr()
    sent()

    assert capsys.readouterr().out == ""


def test_ignored_names_at_the_top_are_shown(sent: Any, local: Path, capsys: pytest.CaptureFixture[str]):
    fill(local / "src", "train.py", ".git/HEAD", ".env", "lib/.DS_Store", "new")
    sent()
    assert "uploading src (2 files, 11 bytes, without .env, .git) to obs://" in capsys.readouterr().out

    fill(local / "src", *(f"{letter}.pyc" for letter in "abc"), "lib/new.py")
    sent()
    assert "uploading src (3 files, 21 bytes, without .env, .git, a.pyc and 2 more) to" in capsys.readouterr().out


def test_an_ignored_folder_need_not_be_readable():
    with common_user() as place:
        fill(place, "src/train.py", "src/sub/a.py")
        put(place / "src" / ".modelartsignore", "sub")
        (place / "src" / "sub").chmod(0)

        assert [file.name for file in FileFilter(place / "src").kept()] == ["train.py"]
