"""`modelarts local backup` and `restore`: what was there before is never lost, and nothing runs twice."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Callable

import pytest
from click.testing import CliRunner, Result

from modelarts._wire.v1.status import COMPLETED, KILLED, RUN_LOST, RUNNING, WAITING
from modelarts.cli.main import cli
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.local.store import Store
from modelarts.local.store.records import Version
from tests.support.cases import case
from tests.support.jobs import estimator, put_code, shared, until


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    return lambda *arguments: CliRunner().invoke(cli, ["local", *map(str, arguments)])


@pytest.fixture
def paths(home: Path) -> LocalHome:
    found = LocalHome.of(home)
    found.root.mkdir(parents=True)
    return found


def add(paths: LocalHome, name: str, status: int) -> Version:
    with closing(Store(paths.store)) as store:
        _, version = store.jobs.add(name, "", "0", {"worker_server_num": 1}, with_version=True)
        assert version is not None
        store.jobs.transition(version.id, (1,), status)
    return version


def put(paths: LocalHome, version: Version, status: int, **changes: Any) -> None:
    with closing(Store(paths.store)) as store:
        assert store.jobs.transition(version.id, range(23), status, **changes)


def said(result: Result) -> str:
    return f"{result.output}{result.exception or ''}"


def states(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection:
        sql = "SELECT jobs.name, versions.status FROM versions JOIN jobs ON jobs.id = job_id "
        return dict(connection.execute(f"{sql} AND jobs.status = versions.status"))


def test_a_restored_store_knows_what_has_happened_since(run, paths, tmp_path):
    queued, running, deleted = (
        add(paths, name, state) for name, state in (("q", WAITING), ("r", RUNNING), ("d", WAITING))
    )
    paths.job(running.id).root.mkdir(parents=True)
    paths.job(running.id).spec.write_text("{}")
    add(paths, "new", WAITING)
    assert run("backup", tmp_path / "b.db").output == f"saved as {tmp_path / 'b.db'}\n"
    put(paths, queued, COMPLETED, end_time=5)
    with closing(Store(paths.store)) as store:
        store.jobs.delete(deleted.job_id)
    later = add(paths, "later", COMPLETED)

    result = run("restore", tmp_path / "b.db")

    assert result.exit_code == 0, result.output
    assert states(paths.store) == {"q": COMPLETED, "r": RUNNING, "d": RUN_LOST, "new": WAITING}
    (kept,) = paths.root.glob("store-before-restore-*.db")
    assert result.output == f"restored {tmp_path / 'b.db'}; the store that was there is now {kept}\n"
    assert states(kept)["later"] == COMPLETED
    assert add(paths, "next", COMPLETED).id > later.id  # handles of lost jobs do not find others
    assert oct((tmp_path / "b.db").stat().st_mode & 0o777) == "0o600"
    assert [path.name for path in paths.root.iterdir() if "part" in path.name] == []


@pytest.mark.parametrize("damage", [b"", b"no database" * 500, None])
def test_a_store_that_is_lost_is_restored(run, paths, tmp_path, damage):
    started = [add(paths, name, WAITING) for name in ("e", "r")]
    add(paths, "g", RUNNING)
    run("backup", tmp_path / "b.db")
    for version in started:
        paths.job(version.id).root.mkdir(parents=True)
        paths.job(version.id).spec.write_text("{}")
    paths.store.unlink() if damage is None else paths.store.write_bytes(damage)

    result = run("restore", tmp_path / "b.db")

    assert result.exit_code == 0, result.output
    assert states(paths.store) == {"e": RUNNING, "r": RUNNING, "g": RUN_LOST}  # folders say what became of them
    kept = [*paths.root.glob("store-before-restore-*.db")]
    assert [path.read_bytes() for path in kept] == ([] if damage is None else [damage])


def test_what_runs_now_must_be_in_the_backup(run, paths, tmp_path):
    add(paths, "old", COMPLETED)
    run("backup", tmp_path / "b.db")
    running = add(paths, "busy", RUNNING)

    result = run("restore", tmp_path / "b.db")

    assert result.exit_code == 1
    assert "the backup does not have what is queued or running now (busy V0001): stop that first" in said(result)
    assert states(paths.store) == {"old": COMPLETED, "busy": RUNNING}
    put(paths, running, KILLED)
    assert run("restore", tmp_path / "b.db").exit_code == 0
    assert states(paths.store) == {"old": COMPLETED}


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")


def of_a_newer_version(path: Path) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 999")


NO_BACKUPS = (
    (lambda path: None, "does not exist"),
    (Path.mkdir, "is not a regular file"),
    (os.mkfifo, "is not a regular file"),
    (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
    (Path.touch, "it is empty"),
    (lambda path: path.write_text("text " * 1000), "file is not a database"),
    (foreign, "it is not a store of modelarts (its tables: moz_places)"),
    (of_a_newer_version, "upgrade modelarts"),
)


def test_what_is_no_backup_is_refused_and_nothing_changes(run, paths, tmp_path):
    add(paths, "mine", COMPLETED)
    before = paths.store.read_bytes()

    for number, (create, reason) in enumerate(NO_BACKUPS):
        with case(reason):
            file = tmp_path / f"{number}.db"
            create(file)
            result = run("restore", file)
            assert (result.exit_code, str(file) in said(result), reason in said(result)) == (1, True, True), (
                result.output
            )
            if number > 0 and number != len(NO_BACKUPS) - 1:
                result = run("backup", file)
                assert (result.exit_code, "is not replaced" in said(result)) == (1, True), result.output
            assert paths.store.read_bytes() == before
    for target, reason in ((paths.store, "is a file of the local service"), (tmp_path / "a" / "b.db", "No such file")):
        result = run("backup", target)
        assert (result.exit_code, reason in said(result)) == (1, True), result.output
    assert paths.store.read_bytes() == before


def test_a_running_service_is_backed_up_and_restored_while_a_job_runs(run, session, home, tmp_path):
    gate = shared(home) / "gate"
    put_code(session, tmp_path, f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n")
    job = estimator(session).fit(inputs="/bucket/data/")
    until(lambda: job.get_job_info().status == RUNNING)
    before = daemon.find(home).pid

    assert run("backup", tmp_path / "b.db").exit_code == 0
    result = run("restore", tmp_path / "b.db")

    assert result.exit_code == 0, result.output
    assert daemon.find(home).pid != before
    gate.touch()
    assert job.wait(show=False).status == COMPLETED
    assert run("backup", tmp_path / "b.db").exit_code == 0  # in place of the earlier one
    assert states(tmp_path / "b.db") == {job.get_job_info().job_name: COMPLETED}
