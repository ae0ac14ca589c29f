"""A damaged row costs that row only; a file that is not the store of its home is refused before anything is written."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from modelarts._wire.v1.status import COMPLETED, INIT
from modelarts.errors import ServiceError
from modelarts.local import daemon
from modelarts.local.paths import LocalHome
from modelarts.local.store import Store, StoreError, StoreUnavailable, opening
from modelarts.local.store.migrations import STEPS, apply
from modelarts.local.store.records import Page
from tests.support.cases import case
from tests.support.environment import BODY, Environment, in_process

SCHEMA_1 = Path(__file__).parent / "data" / "store_schema_1.sql"


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    with in_process(tmp_path / "state") as opened:
        yield opened


def change(path: Path, sql: str, *values: Any) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql, values)


# --- rows

BODIES = (
    "no JSON", "", "[1]", "null", "[" * 100_000, b"\xff\xfe", 5, "{}",
    '{"worker_server_num": "x"}', '{"worker_server_num": -1, "engine_id": [1], "parameter": [5], "data_source": {}}',
)  # fmt: skip


def test_a_damaged_version_fails_when_it_is_its_turn_and_all_others_are_served(env):
    path = LocalHome.of(env.home).store
    others = [env.version(COMPLETED, "fine\n") for _ in range(2)]

    for body in BODIES:
        with case(str(body)[:20]):
            damaged = env.version(INIT)
            change(path, "UPDATE versions SET body = ? WHERE id = ?", body, damaged.id)
            env.service.scheduler.step()

            ids = {"job_id": damaged.job_id, "version_id": damaged.id}
            reply = env.call("get_training_job_version", ids)
            assert (reply.status, reply.members["status"]) == (200, 11)
            assert env.call("list_training_job_versions", {"job_id": damaged.job_id}).status == 200
            assert env.call("list_training_job_log_files", ids).status == 200
            if body != "{}":  # members that an older version did not write
                assert "damaged: body cannot be read" in reply.members["error_result"]
            for sort in ("engine_type", "duration", "status"):
                listed = env.call("list_training_jobs", query={"sortBy": sort, "per_page": 1000}).members["jobs"]
                assert {row["job_id"] for row in listed} >= {other.job_id for other in (*others, damaged)}
            assert env.call("delete_training_job", {"job_id": damaged.job_id}).status == 200
            assert env.store.jobs.get(damaged.job_id) is None


VALUES = (b"\xff\x00", "x", "", 5, -1, 2**62, 0.5, None)


def test_a_damaged_value_in_any_column_costs_its_row_only(env):
    path = LocalHome.of(env.home).store
    version, config, board = env.version(COMPLETED, "log\n"), env.config(), env.visualization(COMPLETED)
    good = env.version(COMPLETED), env.config(), env.visualization(COMPLETED)
    ids = {"job_id": version.job_id, "version_id": version.id}
    rows = {
        "jobs": (f"id = {version.job_id}", [("list_training_jobs", {}), ("get_training_job_version", ids)]),
        "versions": (f"id = {version.id}", [
            ("list_training_job_versions", ids), ("get_training_job_version", ids),
            ("list_training_job_log_files", ids),
        ]),
        "configs": (f"name = '{config}'", [
            ("list_training_job_configs", {}), ("get_training_job_config", {"config_name": config}),
        ]),
        "visualizations": (f"id = {board.id}", [
            ("list_visualization_jobs", {}), ("get_visualization_job", {"job_id": board.id}),
        ]),
    }  # fmt: skip
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        for table, (where, calls) in rows.items():
            (row,) = connection.execute(f"SELECT * FROM {table} WHERE {where}")
            for column, value in itertools.product(set(row.keys()) - {"id", "job_id"}, VALUES):
                with case(table, column, value), contextlib.suppress(sqlite3.IntegrityError):
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value,))
                    for operation, place in calls:
                        reply = env.call(operation, place, {"per_page": 1000} if operation.startswith("list") else {})
                        assert reply.status in (200, 404, 409), (operation, reply.members)
                        if operation.startswith("list") and not place:
                            assert reply.status == 200
                    env.service.scheduler.step()
                    env.service.tensorboards.step()
                    back = f"UPDATE {table} SET {column} = ? WHERE {column} IS ?"
                    connection.execute(back, (row[column], value))
    assert env.store.jobs.version(good[0].job_id, good[0].id).status == COMPLETED
    assert env.call("get_training_job_config", {"config_name": good[1]}).status == 200
    assert env.store.visualizations.get(good[2].id).status == COMPLETED


def test_a_damaged_configuration_is_refused_until_it_is_saved_again(env):
    config = env.config()
    change(LocalHome.of(env.home).store, "UPDATE configs SET body = 'no JSON', create_time = 'x'")

    reply = env.call("get_training_job_config", {"config_name": config})

    assert reply.status == 409
    assert "its row in the store is damaged: body, create_time cannot be read" in reply.members["error_message"]
    path = {"config_name": config}
    assert env.call("update_training_job_config", path, body={**BODY, "config_name": config}).status == 200
    assert env.call("get_training_job_config", path).status == 200


def test_a_store_that_is_damaged_while_the_service_runs_is_named(env):
    path = LocalHome.of(env.home).store
    env.store.close()  # each call opens it
    for end in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{end}").write_bytes(b"text " * 2000)

    reply = env.call("list_training_jobs")

    assert reply.status == 500
    assert reply.members["error_message"].startswith(f"the store {path} is damaged (file is not a database); restore")


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_written_to_a_store_that_was_removed(env, replaced):
    path = LocalHome.of(env.home).store
    version = env.version(INIT)
    away = path.rename(path.with_name("away.db"))
    if replaced:
        path.write_bytes(b"")

    reply = env.call("create_training_job", body={"job_name": "new", "config": BODY})
    with pytest.raises(StoreUnavailable, match="was removed or replaced while the service runs"):
        env.service.scheduler.step()

    assert reply.status == 507
    assert f"the store {path} was removed or replaced while the service runs: put it back" in reply.members["error_msg"]
    assert path.exists() == replaced
    away.rename(path)
    assert env.call("create_training_job", body={"job_name": "new", "config": BODY}).status == 200
    assert env.store.jobs.version(version.job_id, version.id).status == INIT


# --- files


@pytest.fixture
def used(tmp_path: Path) -> LocalHome:
    """A home in which two versions have run."""
    home = LocalHome.of(tmp_path)
    home.root.mkdir(parents=True)
    make(home.store, 1)
    for number in (1, 2):
        home.job(number).root.mkdir(parents=True)
        home.job(number).log(0).write_text("kept")
    return home


def make(path: Path, schema: int) -> None:
    """Create a store as an earlier version of this package left it."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA_1.read_text(encoding="utf-8"))
        apply(connection, 1, schema)


def removed(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def without_tables(path: Path) -> None:
    path.unlink()
    change(path, "VACUUM")


def of_another_program(path: Path) -> None:
    path.unlink()
    change(path, "CREATE TABLE moz_places (id INTEGER)")


def of_another_program_with_a_schema(path: Path) -> None:
    of_another_program(path)
    change(path, "PRAGMA user_version = 3")


def of_another_program_with_a_later_schema(path: Path) -> None:
    of_another_program(path)
    change(path, "PRAGMA user_version = 300")


def without_a_column(path: Path) -> None:
    make(path, len(STEPS))
    change(path, "ALTER TABLE versions RENAME COLUMN reason TO cause")


def no_database(path: Path) -> None:
    path.write_bytes(b"text " * 1000)


def with_a_damaged_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-4096:-3896] = b"\xff" * 200
    path.write_bytes(content)


def with_all_pages_damaged(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


FILES = (
    (removed, "it is missing, but .*/jobs has the folders of 2 versions: restore a backup with `modelarts local rest"),
    (emptied, "it is empty, but .*/jobs has the folders of 2 versions: .* or move .*/jobs elsewhere to begin anew"),
    (without_tables, "it has no tables, but .*/jobs has the folders of 2 versions"),
    (of_another_program, r"it is not a store of modelarts \(its tables: moz_places\); move it elsewhere, and restore"),
    (of_another_program_with_a_schema, "it is not a store of modelarts"),
    (of_another_program_with_a_later_schema, "it is not a store of modelarts"),
    (without_a_column, "it is not a store of modelarts"),
    (no_database, r"it cannot be read \(file is not a database\); move it elsewhere, and restore a backup"),
    (with_all_pages_damaged, "it cannot be read|it is damaged"),
    (with_a_damaged_page, r"it is damaged \(.*\); move it elsewhere, and restore a backup"),
)


@pytest.mark.parametrize(("spoil", "reason"), FILES, ids=[spoil.__name__ for spoil, _ in FILES])
def test_what_is_not_the_store_of_this_home_is_refused_and_stays_as_it_is(used, spoil, reason):
    spoil(used.store)
    before = used.store.read_bytes() if used.store.exists() else None

    with pytest.raises(StoreError, match=reason):
        Store(used.store, with_pages=True)

    assert (used.store.read_bytes() if used.store.exists() else None) == before
    assert used.job(1).log(0).read_text() == "kept"


def test_the_service_says_why_it_does_not_start(used, tmp_path):
    emptied(used.store)

    with pytest.raises(ServiceError, match=r"the store .*/store.db cannot be used: it is empty, but .*/jobs has"):
        daemon.ensure(tmp_path)


def test_a_home_without_versions_begins_with_a_new_store(tmp_path):
    (tmp_path / "jobs").mkdir()
    for spoil in (Path.touch, removed):
        spoil(tmp_path / "store.db")
        Store(tmp_path / "store.db", with_pages=True).close()


def test_folders_that_are_newer_than_the_store_are_not_used_again(used):
    used.job(70).root.mkdir()
    (used.jobs / "notes").mkdir()

    with closing(Store(used.store)) as store:
        _, version = store.jobs.add("new", "", "0", {"worker_server_num": 1}, with_version=True)

    assert version is not None
    assert version.id == 71


def test_damage_of_one_row_does_not_keep_the_store_from_being_opened(used):
    with closing(sqlite3.connect(used.store, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'body TEXT NOT NULL', 'body TEXT')")
        connection.execute("PRAGMA writable_schema = RESET")
        connection.execute("UPDATE versions SET body = NULL WHERE id = 1")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'body TEXT,', 'body TEXT NOT NULL,')")

    with closing(Store(used.store, with_pages=True)) as store:
        first, second = store.jobs.versions(1)[0], store.jobs.versions(2)[0]

    assert (first.damage != "", second.damage) == (True, "")


def test_a_damaged_index_is_made_again(used):
    sql = "SELECT * FROM sqlite_master WHERE name = 'versions_by_status'"
    with closing(sqlite3.connect(used.store, isolation_level=None)) as connection:
        (row,) = connection.execute(sql)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'versions_by_status'")
    change(used.store, "UPDATE versions SET status = 7 WHERE id = 2")  # which the index does not learn
    with closing(sqlite3.connect(used.store, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)

    with closing(Store(used.store, with_pages=True)) as store:
        assert [version.id for version in store.jobs.versions_with_status(7)] == [2]


def test_a_schema_that_cannot_be_read_is_named(used):
    content = used.store.read_bytes()
    used.store.write_bytes(content.replace(b"CREATE TABLE versions", b"CREATE TABLE versi\xffns"))

    with pytest.raises(StoreError, match=r"it is damaged|it cannot be read|it is not a store"):
        Store(used.store)


def test_the_check_of_a_large_store_is_bounded(used, monkeypatch):
    monkeypatch.setattr(opening, "CHECK_SECONDS", 0.0)
    with closing(sqlite3.connect(used.store, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO datasets VALUES (?, 'v', 'obs://b/', 1)", [(str(number),) for number in range(20_000)]
        )
        connection.execute("COMMIT")

    Store(used.store, with_pages=True).close()


# --- earlier schemas


@pytest.mark.parametrize("schema", range(1, len(STEPS) + 1))
def test_a_store_of_each_schema_keeps_its_rows(tmp_path, schema):
    make(tmp_path / "store.db", schema)

    with closing(Store(tmp_path / "store.db", with_pages=True)) as store:
        total, jobs = store.jobs.page(Page("create_time"), {})
        ended, running = store.jobs.versions(1)[0], store.jobs.versions(2)[0]
        assert [(job.name, job.delete_requested, job.version_count) for job in jobs] == [
            ("kept", 0, 1), ("going", 1, 1), ("idle", 0, 0)
        ]  # fmt: skip
        assert total == 3
        assert (ended.status, ended.end_time, ended.damage) == (10, 1_600_000_005_000, "")
        assert (running.status, running.delete_requested, running.body["spec_id"]) == (8, 1, 2)
        assert store.jobs.transition(2, (8,), 10)
        assert store.jobs.version(2, 2) is None
        assert store.jobs.page(Page("create_time"), {})[0] == 2
        assert store.datasets.url("ds", "v1") == "obs://bucket/data/"
        assert [row.name for row in store.visualizations.with_status(1)] == ["v"]
        assert store.configs.get("c") is not None
