"""Disk space of ended jobs: what `local_keep` keeps, and `modelarts local clean`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modelarts._settings import table
from modelarts._wire.v1.status import COMPLETED, INIT, KILLED, RUN_FAILED, RUNNING, WAITING, JobStatus
from modelarts.cli.main import cli
from modelarts.errors import ConfigError
from modelarts.local import locks
from modelarts.local.paths import LocalHome
from modelarts.local.store import Store, now
from modelarts.local.working_directories import remove_tree
from tests.support.files import common_user, put, tree
from tests.support.jobs import estimator, put_code, until

DAY = 86_400_000


class Past:
    """Versions that ended, with their folders, in a home without a service."""

    def __init__(self, home: Path) -> None:
        self.home = LocalHome.of(home)
        self.home.root.mkdir(parents=True)
        self.store = Store(self.home.store)
        self.job, _ = self.store.jobs.add("digits", "", "0", {}, with_version=False)

    def version(self, status: JobStatus = COMPLETED, days_ago: float = 0.0) -> int:
        """Create a version that ended so long ago, and 100 kB of its files; its id."""
        _, version = self.store.jobs.add_version(self.job.id, 0 if not self.ids() else self.ids()[-1], {})
        end_time = now() - int(days_ago * DAY) if status.ended else None
        self.store.jobs.transition(version.id, (INIT,), status, end_time=end_time)
        folder = self.home.job(version.id)
        put(folder.node(0).job_dir / "src" / "train.py")
        put(folder.node(0).cache / "data.bin", b"x" * 100_000)
        put(folder.log(0), "a line\n")
        put(folder.metrics, "{}")
        return version.id

    def ids(self) -> list[int]:
        return sorted(version.id for version in self.store.jobs.versions(self.job.id))

    def left(self) -> list[int]:
        """The versions that have working directories."""
        return [number for number in self.ids() if self.home.job(number).node(0).root.exists()]


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "state"))
    past = Past(tmp_path / "state")
    yield past
    past.store.close()


def clean(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["local", "clean", *arguments])


def test_failed_versions_and_the_last_five_stay(past):
    failed, lost, *done = [past.version(status) for status in (RUN_FAILED, KILLED, *[COMPLETED] * 7)]

    result = clean()

    assert result.exit_code == 0, result.output
    assert past.left() == [failed, lost, *done[2:]]
    freed, kept = result.output.splitlines()
    assert re.fullmatch(r"freed 2\d\d\.\d kB of 2 versions", freed)
    assert re.fullmatch(r"kept [789]\d\d\.\d kB of 7 versions, as local_keep=failed,5 says; .* --keep none` .*", kept)


RULES: list[tuple[str, Callable[[list[int]], list[int]]]] = [
    ("none", lambda ids: []),
    ("all", lambda ids: ids),
    ("failed", lambda ids: [ids[1]]),
    ("2", lambda ids: ids[2:]),
    ("0", lambda ids: []),
    ("3d", lambda ids: ids[2:]),
    ("36h", lambda ids: ids[3:]),
    ("1d1h", lambda ids: ids[3:]),
    ("failed, 1", lambda ids: [ids[1], ids[3]]),
    ("FAILED 3d", lambda ids: ids[1:]),
]


@pytest.mark.parametrize(("rules", "expected"), RULES, ids=[rules for rules, _ in RULES])
def test_a_rule_says_what_stays(past, rules, expected):
    ids = [past.version(status, days) for status, days in
           ((COMPLETED, 9), (RUN_FAILED, 8), (COMPLETED, 2), (COMPLETED, 0))]  # fmt: skip

    clean("--keep", rules)

    assert past.left() == expected(ids)


@pytest.mark.parametrize("value", ["", " ", "some", "-1", "7x", "d", "none,5", "1.5", "failed;5", "9" * 12, "٣"])
def test_other_rules_are_refused_with_what_can_be_written(past, value):
    past.version()

    result = clean("--keep", value)

    assert isinstance(result.exception, ConfigError)
    assert "local_keep=" in str(result.exception) and "write failed, all, none, a number" in str(result.exception)
    assert past.left()


def test_the_setting_may_be_a_number_in_the_file(past):
    put(past.home.root.parent / "config.json", '{"local_keep": 1}')
    ids = [past.version() for _ in range(3)]

    clean()

    assert past.left() == ids[2:]
    with pytest.raises(ConfigError):
        table.checked("local_keep", True)


def test_a_dry_run_removes_nothing_and_says_what_it_would_remove(past):
    ids = [past.version() for _ in range(2)]

    lines = clean("--dry-run", "--keep", "none").output.splitlines()

    assert past.left() == ids
    name, size, folder = lines[0].split("\t")
    assert (name, folder) == ("digits V0001", str(past.home.job(ids[0]).root))
    assert re.fullmatch(r"1\d\d\.\d kB", size)
    assert re.fullmatch(r"would free 2\d\d\.\d kB of 2 versions", lines[2])


def test_logs_metrics_buckets_and_rows_are_not_touched(past):
    put(past.home.buckets / "bucket" / "model.pth")
    number = past.version()

    clean("--keep", "none")

    assert tree(past.home.job(number).root) == {"worker-0.log": "a line\n", "metrics.json": "{}"}
    assert tree(past.home.buckets) == {"bucket/model.pth": "text"}
    assert past.ids() == [number]
    assert clean("--keep", "none").output == "freed 0 bytes of 0 versions\n"


def test_versions_that_have_not_ended_are_not_touched(past):
    waiting, running = past.version(WAITING), past.version(RUNNING)

    clean("--keep", "none")

    assert past.left() == [waiting, running]


def test_a_version_whose_supervisor_still_runs_is_not_touched(past, monkeypatch):
    monkeypatch.setattr("modelarts.local.working_directories._PATIENCE", 0.0)
    number = past.version()
    lock = locks.hold(past.home.job(number).alive)
    try:
        clean("--keep", "none")
        assert past.left() == [number]
    finally:
        os.close(lock)


def test_what_is_left_of_a_deleted_version_is_freed(past):
    put(past.home.job(99).root / "node-0" / "file")

    assert clean("--keep", "all").output.startswith("freed ")
    assert not past.home.job(99).node(0).root.exists()


def test_links_are_removed_and_not_followed(past, tmp_path):
    number = past.version()
    data = put(tmp_path / "elsewhere" / "data.csv")
    (past.home.job(number).node(0).root / "link").symlink_to(data.parent)
    (past.home.job(number).root / "node-1").symlink_to(data.parent)

    clean("--keep", "none")

    assert past.left() == []
    assert data.exists()


def test_read_only_folders_are_removed_too(monkeypatch):
    with common_user() as place:
        monkeypatch.setenv("MODELARTS_HOME", str(place / "state"))
        past = Past(place / "state")
        number = past.version()
        locked = past.home.job(number).node(0).cache
        locked.chmod(0o500)
        (past.home.job(number).node(0).job_dir / "src").chmod(0)

        result = clean("--keep", "none")
        past.store.close()

        assert (result.exit_code, past.home.job(number).node(0).root.exists()) == (0, False), result.output


def test_folders_of_any_depth_are_removed(tmp_path):
    top = tmp_path / "7"
    top.mkdir()
    folder = os.open(top, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deep", dir_fd=folder)
        inner = os.open("deep", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)

    remove_tree(top)

    assert not top.exists()


def test_the_folder_of_a_deleted_version_goes_with_what_a_script_made_read_only(monkeypatch):
    with common_user() as place:
        monkeypatch.setenv("MODELARTS_HOME", str(place / "state"))
        past = Past(place / "state")
        folder = past.home.job(past.version()).root
        past.home.job(1).node(0).cache.chmod(0o500)
        past.home.job(1).node(0).job_dir.chmod(0)

        remove_tree(folder)
        past.store.close()

        assert not folder.exists()


def test_the_service_frees_what_is_not_kept_when_a_version_ends(home, tmp_path, monkeypatch):
    from modelarts.session import Session

    monkeypatch.setenv("MODELARTS_LOCAL_KEEP", "1")
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, "open('left', 'w').write('x')")
        jobs = [estimator(session).fit(inputs="/bucket/data/", wait=True) for _ in range(2)]
        first, second = (LocalHome.of(home).job(job.version_id) for job in jobs)

        until(lambda: not first.node(0).root.exists())
        assert second.node(0).root.exists()
        assert "Training completed." in jobs[0].get_job_log(jobs[0].get_job_log_file_list().log_file_list[0]).content
