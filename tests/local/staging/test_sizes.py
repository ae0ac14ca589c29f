"""Limits of size, and progress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelarts.session import Session
from tests.local.staging.files import fill
from tests.support.files import put
from tests.support.jobs import estimator

MB = 1_000_000


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELARTS_CODE_LIMIT", "1")
    monkeypatch.setenv("MODELARTS_DATA_LIMIT", "3")


@pytest.mark.usefixtures("small_limits")
def test_code_above_the_limit_is_reported_with_its_largest_files(
    sent: Any, refused: Any, local: Path, home: Path
):
    fill(local / "src", "run.sh")
    put(local / "src" / "data" / "large.bin", bytes(900_000))
    put(local / "src" / "data" / "larger.bin", bytes(1_200_000))

    (fault,) = refused(boot_file="run.sh")

    first, *named, last = fault.rule.splitlines()
    assert fault.argument == "code_dir"
    assert first == "has 3 files, 2.1 MB, more than the setting code_limit allows (1 MB). Its largest files:"
    assert [line.strip() for line in named] == [
        "src/data/larger.bin: 1.2 MB", "src/data/large.bin: 900.0 kB", "src/run.sh: 6 bytes",
    ]  # fmt: skip
    assert f"{local}/src/.modelartsignore" in last and "session.obs.upload_dir" in last
    assert last.endswith("MODELARTS_CODE_LIMIT=3")
    put(local / "src" / ".modelartsignore", "data/larger.bin")
    assert sent(boot_file="run.sh") == ["src/data/large.bin", "src/run.sh"]


@pytest.mark.usefixtures("small_limits")
def test_data_has_its_own_limit(sent: Any, refused: Any, local: Path):
    fill(local, "src/train.py", "data/load.py")
    put(local / "data" / "rows.bin", bytes(2 * MB))
    assert sent(inputs="data") == ["data/load.py", "data/rows.bin"]

    put(local / "data" / "rows.bin", bytes(4 * MB))
    for path, size in (("data", "2 files, 4.0 MB"), (local / "data" / "rows.bin", "1 file, 4.0 MB")):
        (fault,) = refused(inputs=path)
        assert fault.argument == "inputs"
        assert fault.rule.startswith(f"has {size}, more than the setting data_limit allows (3 MB).")


def test_a_limit_may_be_raised_by_a_profile(session: Session, home: Path, local: Path):
    fill(local / "src", "train.py")
    put(home / "config.json", '{"profile": "big", "profiles": {"big": {"code_limit": 2}}, "code_limit": 1}')
    put(local / "src" / "weights", bytes(1_500_000))
    try:
        with Session.local(home) as other:
            assert estimator(other, code_dir="src").payload("create_training_job_config", config_name="c")
    finally:
        (home / "config.json").unlink()


@pytest.mark.usefixtures("small_limits")
def test_files_above_the_limit_are_not_read(refused: Any, local: Path):
    fill(local / "src", "train.py")
    with (local / "src" / "weights.bin").open("wb") as file:
        file.truncate(10**13)  # reading it would take hours

    (fault,) = refused()

    assert "10.0 TB" in fault.rule


def test_reading_shows_progress(
    session: Session, local: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("modelarts._display.progress._DELAY", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fill(local / "src", "train.py", "net.py")

    estimator(session, code_dir="src").payload("create_training_job_config", config_name="c")

    assert "read src  100 %  14 bytes of 14 bytes, 2 of 2 files" in capsys.readouterr().err
