"""What of local code and data goes along with a job, and what is refused before anything is sent."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.jobs import estimator

from modelarts._left_out import ENVIRONMENTS, NAMES, LeftOut
from modelarts.errors import ArgumentError, Fault
from modelarts.local import daemon
from modelarts.session import Session

MB = 1_000_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state of a service for all tests here."""
    place = tmp_path_factory.mktemp("state")
    yield place
    daemon.stop(place)


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with Session.local(home) as opened:
        yield opened


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def sent(session: Session, home: Path) -> Any:
    """Save a configuration; gives back which files lie at the place of its data, else its code."""

    def send(code_dir: Any = "src", inputs: Any = None, boot_file: Any = "train.py") -> list[str]:
        made = estimator(session, code_dir=code_dir, boot_file=boot_file).create_job_configs(inputs=inputs)
        info = made.get_job_configs_info()
        place = home / "local" / "buckets" / info["app_url" if inputs is None else "data_url"].strip("/")
        return [name for name in files_in(place.parent) if name != ".modelarts-complete"]

    return send


@pytest.fixture
def refused(session: Session, home: Path) -> Any:
    """Save a configuration that is refused; gives back the faults."""

    def refuse(code_dir: Any = "src", inputs: Any = None, boot_file: Any = "train.py") -> list[Fault]:
        buckets = home / "local" / "buckets"
        before = sorted(buckets.rglob("*"))
        with pytest.raises(ArgumentError) as caught:
            estimator(session, code_dir=code_dir, boot_file=boot_file).create_job_configs(inputs=inputs)
        assert sorted(buckets.rglob("*")) == before, "something was sent"
        return list(caught.value.faults)

    return refuse


def put(path: Path, text: str | bytes = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def fill(folder: Path, *names: str) -> None:
    for name in names:
        put(folder / name, name)


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- what is left out always


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("above", ["", "deep/er/"])
def test_caches_and_their_kind_stay_here(sent: Any, work: Path, name: str, above: str):
    name = name.replace("*", "name")
    fill(work / "src", "train.py", f"{above}{name}")
    assert sent() == ["src/train.py"]

    (work / "src" / above / name).unlink()
    fill(work / "src", f"{above}{name}/inside", "train.py")
    assert sent() == ["src/train.py"]

    put(work / "src" / above / ".modelartsignore", f"!{name}\n")
    assert sent() == [f"src/{above}{name}/inside", "src/train.py"]


@pytest.mark.parametrize("mark", ENVIRONMENTS)
def test_environments_stay_here_whatever_their_name_and_code_goes_whatever_its_name(sent: Any, work: Path, mark: str):
    fill(work / "src", "train.py", f"my env/{mark}/x" if mark == "conda-meta" else f"my env/{mark}", "my env/lib/a.py")
    fill(work / "src", "env/gym.py", "venv/code.py", "cache/a", "build/b", "git/c")

    assert sent() == ["src/build/b", "src/cache/a", "src/env/gym.py", "src/git/c", "src/train.py", "src/venv/code.py"]
    put(work / "src" / ".modelartsignore", "!my env\nbuild\ncache\ngit\n")
    assert f"src/my env/{mark}" in " ".join(sent())


def test_a_pattern_for_all_folders_brings_none_back(sent: Any, work: Path):
    fill(work / "src", "train.py", "lib/a.py", "lib/a.csv", ".git/hook.py", "lib/__pycache__/a.py", ".venv/b.py")
    put(work / "src" / ".modelartsignore", "*\n!*/\n!*.py\n")

    assert sent() == ["src/lib/a.py", "src/train.py"]


def test_the_state_of_this_package_stays_here(work: Path):
    fill(work / "src", "train.py")
    home = work / "src" / ".state"
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


def test_the_state_of_this_package_is_no_code(refused: Any, home: Path):
    put(home / "train.py")

    (fault,) = refused(home)

    assert fault.rule == "this folder holds the state of this package and is not sent; give another"


# --- what ignore files name


def test_an_ignore_file_is_read_as_git_reads_it(sent: Any, work: Path):
    patterns = ("# comments\n\n*.ckpt\n!best.ckpt\n/data/\nlogs/**/old\n"
                "notes.txt\n数据/\nall/**\n!all/but.txt\nonly/\n!only/this\n"
                "\\#a\n\\!b\nend\\ \nname   \n[ab]1\n[!ab]2\n?3\nx*y\nbad[\n!\n")  # fmt: skip
    put(work / "src" / ".modelartsignore", patterns)
    kept = ["train.py", "best.ckpt", "deep/data/a.csv", "deep/best.ckpt", "logs/new/a.log", ".hidden", "all/but.txt",
            "c1", "a2", "name   ", "bad["]  # fmt: skip
    gone = ["a.ckpt", "deep/b.ckpt", "data/a.csv", "data/deep/b.csv", "logs/new/old/a.log", "deep/notes.txt", "数据/a",
            "all/other", "only/this", "#a", "!b", "end ", "name", "a1", "c2", "x3", "xy", "x/x.y"]  # fmt: skip
    fill(work / "src", *kept, *gone)

    assert sent() == sorted(f"src/{name}" for name in kept)


def test_an_ignore_file_leaves_out_what_git_does(sent: Any, work: Path):
    git = shutil.which("git")
    if git is None:
        pytest.skip("there is no git here")
    names = ["train.py", "a", "b/a", "b/c/a", "b/c/d.csv", "b/keep/e.csv", "c/keep", "keep/a.csv", "keep/b/c.csv",
             "x/y/z", "x/y/b", "x/z", "doc/x/y/b", "UPPER.TXT", "!a", "#a", "a b", "c d ", "n1/t.tmp"]  # fmt: skip
    fill(work / "src", *names)
    rules = {
        "": ["/a", "b/*", "!b/keep/", "!b/c", "c/", "!c/keep", "**/z", "x/**/b", "[!a-z]*.TXT", "\\!a", "*\\ d\\ "],
        "keep": ["*", "!*/", "!*.csv", "/a.*"], "n1": ["*.tmp", "!t.tmp"], "b/c": ["d.???"],
    }  # fmt: skip
    for folder, lines in rules.items():
        for name in (".gitignore", ".modelartsignore"):
            put(work / "src" / folder / name, "\n".join(lines))
    subprocess.run([git, "init", "-q"], cwd=work / "src", check=True)
    listing = [git, "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=work / "src", check=True, capture_output=True, text=True).stdout.split("\0")

    kept = [name for name in sent() if not name.endswith("ignore")]

    assert kept == sorted(f"src/{name}" for name in listed if name and not name.endswith("ignore"))
    assert len(kept) not in (0, len(names))


def test_an_ignore_file_counts_for_its_own_folder_and_before_those_above(sent: Any, work: Path):
    fill(work / "src", "train.py", "a.log", "lib/a.log", "lib/b.tmp", "lib/deep/c.tmp", "b.tmp", "lib/top.txt")
    fill(work / "src", "top.txt")
    put(work / "src" / ".modelartsignore", "*.log\n/top.txt\n")
    put(work / "src" / "lib" / ".modelartsignore", "!a.log\n*.tmp\n")

    assert sent() == ["src/b.tmp", "src/lib/a.log", "src/lib/top.txt", "src/train.py"]


@pytest.mark.parametrize("text", ["\ufeff*.ckpt\n", "*.ckpt\r\ndata/\r\n", "!\n*.ckpt\n", "foo\\\n*.ckpt", "[\n*.ckpt"])
def test_what_git_passes_over_in_an_ignore_file_is_passed_over(sent: Any, work: Path, text: str):
    fill(work / "src", "train.py", "a.ckpt")
    put(work / "src" / ".modelartsignore", text)

    assert sent() == ["src/train.py"]


@pytest.mark.parametrize("content", ["数据/".encode("gbk"), "*.ckpt\n".encode("utf-16")])
def test_an_ignore_file_that_is_no_utf_8_is_refused(refused: Any, work: Path, content: bytes):
    fill(work / "src", "train.py", "deep/a.py")
    file = put(work / "src" / "deep" / ".modelartsignore", content)

    (fault,) = refused()

    assert (fault.argument, fault.rule) == ("code_dir", f"{file} is not UTF-8; save it as UTF-8")


def test_a_folder_with_the_name_of_an_ignore_file_is_a_folder(sent: Any, work: Path):
    fill(work / "src", "train.py", ".modelartsignore/a.txt")

    assert sent() == ["src/.modelartsignore/a.txt", "src/train.py"]


def test_what_is_left_out_does_not_change_the_place(sent: Any, work: Path, capsys: pytest.CaptureFixture[str]):
    fill(work / "src", "train.py")
    put(work / "src" / ".modelartsignore", "logs/\n")
    sent()

    fill(work / "src", "logs/a.log", "__pycache__/train.pyc")
    capsys.readouterr()
    sent()

    assert capsys.readouterr().out == ""


def test_what_is_left_out_at_the_top_is_told(sent: Any, work: Path, capsys: pytest.CaptureFixture[str]):
    fill(work / "src", "train.py", ".git/HEAD", ".env", "lib/.DS_Store", "new")
    sent()
    assert "uploading src (2 files, 11 bytes, without .env, .git) to obs://" in capsys.readouterr().out

    fill(work / "src", *(f"{letter}.pyc" for letter in "abc"), "lib/new.py")
    sent()
    assert "uploading src (3 files, 21 bytes, without .env, .git, a.pyc and 2 more) to" in capsys.readouterr().out


# --- the script to start


def test_a_script_that_is_left_out_is_refused_with_the_line_that_does_it(refused: Any, work: Path):
    fill(work / "src", "train.py", "deep/run.py", "other.py")
    file = put(work / "src" / ".modelartsignore", "*.csv\n/train.*\ndeep\n")

    for boot_file, pattern, line in (("train.py", "/train.*", 2), ("src/deep/run.py", "deep", 3)):
        (fault,) = refused(boot_file=boot_file)
        assert (fault.argument, fault.value) == ("boot_file", boot_file)
        assert fault.rule == f"is not sent: line {line} of {file} is {pattern!r}"


def test_a_script_among_what_is_always_left_out_is_refused_with_what_brings_it_back(
    sent: Any, refused: Any, work: Path
):
    fill(work / "src", "train.pyc", "other.py")

    (fault,) = refused(boot_file="train.pyc")

    ignore = work / "src" / ".modelartsignore"
    assert fault.rule == f"is not sent: *.pyc is always left out; a line !train.pyc in {ignore} brings it back"
    put(ignore, "!train.pyc")
    assert sent(boot_file="train.pyc") == ["src/other.py", "src/train.pyc"]


def test_a_script_that_is_not_there_is_refused(refused: Any, work: Path):
    fill(work / "src", "train.py", "deep/run.py")

    assert [fault.rule for fault in refused(boot_file="tain.py")] == [f"there is no such file in {work}/src"]
    assert ["names a folder" in fault.rule for fault in refused(boot_file="deep")] == [True]


def test_a_script_may_be_given_with_its_whole_path(sent: Any, work: Path):
    fill(work / "src", "train.py")

    assert sent(work / "src", boot_file=str(work / "src" / "train.py")) == ["src/train.py"]


@pytest.mark.parametrize("pattern", ["*", "/src.py\n*.txt"])
def test_nothing_to_send_is_refused(refused: Any, work: Path, pattern: str):
    fill(work / "src", "src.py", "a.txt")
    put(work / "src" / ".modelartsignore", pattern)
    (work / "empty").mkdir()

    code, script, data = refused(boot_file="src.py", inputs="empty")

    assert (code.argument, code.rule) == ("code_dir", "has no file to send; left out: a.txt, src.py")
    line = f"line 1 of {work}/src/.modelartsignore is {pattern.splitlines()[0]!r}"
    assert (script.argument, script.rule) == ("boot_file", f"is not sent: {line}")
    assert (data.argument, data.rule) == ("inputs", "has no file to send")


def test_a_file_is_no_code_dir(refused: Any, work: Path):
    fill(work / "src", "train.py")

    (fault,) = refused("src/train.py")

    assert fault.rule == "names a file; give the folder that it lies in, and boot_file='train.py'"


def test_an_absolute_path_as_text_is_refused_where_it_exists_here(refused: Any, work: Path):
    fill(work / "src", "train.py")

    code, data = refused(str(work / "src"), str(work / "src"))

    assert {code.argument, data.argument} == {"code_dir", "inputs"}
    for fault in (code, data):
        assert f"the session has no bucket {work.parts[1]!r}; give Path('{work}/src')" in fault.rule


# --- links


def test_links_to_files_and_folders_are_followed_but_not_in_circles(
    sent: Any, work: Path, caplog: pytest.LogCaptureFixture
):
    fill(work, "common/util.py", "common/.modelartsignore", "common/__pycache__/a.pyc", "src/train.py")
    for name, target in {"common": "../common", "util.py": "../common/util.py", "dead": "nowhere", "me": "."}.items():
        (work / "src" / name).symlink_to(target)

    with caplog.at_level(logging.WARNING):
        assert sent() == ["src/common/util.py", "src/train.py", "src/util.py"]

    assert "src/me is left out: it is a link that leads back" in caplog.text


def test_a_folder_that_is_a_link_keeps_its_own_name(sent: Any, work: Path):
    fill(work, "version 3/train.py")
    (work / "src").symlink_to("version 3")

    assert sent(boot_file="src/train.py") == ["src/train.py"]


# --- how much


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELARTS_CODE_LIMIT", "1")
    monkeypatch.setenv("MODELARTS_DATA_LIMIT", "3")


@pytest.mark.usefixtures("small_limits")
def test_too_much_code_is_refused_with_its_largest_files_and_what_to_do(
    sent: Any, refused: Any, work: Path, home: Path
):
    fill(work / "src", "run.sh")
    put(work / "src" / "data" / "large.bin", bytes(900_000))
    put(work / "src" / "data" / "larger.bin", bytes(1_200_000))

    (fault,) = refused(boot_file="run.sh")

    first, *named, last = fault.rule.splitlines()
    assert fault.argument == "code_dir"
    assert first == "has 3 files, 2.1 MB, more than the setting code_limit allows (1 MB). Its largest files:"
    assert [line.strip() for line in named] == [
        "src/data/larger.bin: 1.2 MB", "src/data/large.bin: 900.0 kB", "src/run.sh: 6 bytes",
    ]  # fmt: skip
    assert f"{work}/src/.modelartsignore" in last and "session.obs.upload_dir" in last
    assert last.endswith("MODELARTS_CODE_LIMIT=3")
    put(work / "src" / ".modelartsignore", "data/larger.bin")
    assert sent(boot_file="run.sh") == ["src/data/large.bin", "src/run.sh"]


@pytest.mark.usefixtures("small_limits")
def test_data_have_a_limit_of_their_own_whatever_they_hold(sent: Any, refused: Any, work: Path):
    fill(work, "src/train.py", "data/load.py")
    put(work / "data" / "rows.bin", bytes(2 * MB))
    assert sent(inputs="data") == ["data/load.py", "data/rows.bin"]

    put(work / "data" / "rows.bin", bytes(4 * MB))
    for path, size in (("data", "2 files, 4.0 MB"), (work / "data" / "rows.bin", "1 file, 4.0 MB")):
        (fault,) = refused(inputs=path)
        assert fault.argument == "inputs"
        assert fault.rule.startswith(f"has {size}, more than the setting data_limit allows (3 MB).")


def test_a_limit_may_be_raised_by_a_profile(session: Session, home: Path, work: Path):
    fill(work / "src", "train.py")
    put(home / "config.json", '{"profile": "big", "profiles": {"big": {"code_limit": 2}}, "code_limit": 1}')
    put(work / "src" / "weights", bytes(1_500_000))
    try:
        with Session.local(home) as other:
            assert estimator(other, code_dir="src").payload("create_training_job_config", config_name="c")
    finally:
        (home / "config.json").unlink()


@pytest.mark.usefixtures("small_limits")
def test_what_is_too_much_is_not_read(refused: Any, work: Path):
    fill(work / "src", "train.py")
    with (work / "src" / "weights.bin").open("wb") as file:
        file.truncate(10**13)  # reading it would take hours

    (fault,) = refused()

    assert "10.0 TB" in fault.rule


def test_reading_shows_how_far_it_is(
    session: Session, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("modelarts._display.progress._FIRST", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fill(work / "src", "train.py", "net.py")

    estimator(session, code_dir="src").payload("create_training_job_config", config_name="c")

    assert "read src  100 %  14 bytes of 14 bytes, 2 of 2 files" in capsys.readouterr().err


# --- what cannot be read


@contextmanager
def common_user() -> Iterator[Path]:
    """A folder of a user who may not read everything, as whom the rest is done."""
    with tempfile.TemporaryDirectory() as name:
        user, place = os.geteuid(), Path(name)
        if user == 0:
            os.chown(name, 65534, 65534)
            os.seteuid(65534)
        try:
            yield place
        finally:
            os.seteuid(user)
            for path in place.rglob("*"):
                path.chmod(0o700)


@pytest.mark.parametrize("closed", ["src/secret.py", "src/sub", "src/.modelartsignore"])
def test_what_cannot_be_read_is_refused_by_its_name(session: Session, closed: str):
    with common_user() as place:
        fill(place, "src/train.py", "src/secret.py", "src/sub/a.py", "src/.modelartsignore")
        (place / closed).chmod(0)
        with pytest.raises(ArgumentError) as caught:
            estimator(session, code_dir=place / "src").create_job_configs()

    assert [(fault.argument, fault.rule) for fault in caught.value.faults] == [
        ("code_dir", f"cannot read {place / closed}: Permission denied")
    ]


def test_a_folder_that_is_left_out_need_not_be_readable():
    with common_user() as place:
        fill(place, "src/train.py", "src/sub/a.py")
        put(place / "src" / ".modelartsignore", "sub")
        (place / "src" / "sub").chmod(0)

        assert [file.name for file in LeftOut(place / "src").kept()] == ["train.py"]


def test_a_file_that_fails_while_it_is_read_is_named(refused: Any, work: Path):
    fill(work / "src", "train.py")
    (work / "src" / "memory").symlink_to("/proc/self/mem")

    (fault,) = refused()

    assert fault.rule.startswith(f"cannot read {work}/src/memory: ")


def test_what_was_removed_by_hand_is_sent_again(session: Session, sent: Any, work: Path, home: Path):
    fill(work / "src", "train.py")
    sent()
    shutil.rmtree(next((home / "local" / "buckets").glob("modelarts-local-*/uploads")))

    assert sent() == ["src/train.py"]
