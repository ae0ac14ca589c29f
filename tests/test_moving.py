"""The page for those who come from the original SDK says what is true."""

from __future__ import annotations

import importlib
import inspect
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

import modelarts
from modelarts import errors
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.estimator import JOB_STATE, Estimator, TrainingJob
from modelarts.session import Session
from modelarts.visualization import VisualizationJob
from tests.support.cloud import Cloud, cloud_estimator, cloud_session

PAGE = Path(__file__).parents[1] / "docs" / "moving.md"
CLASSES = json.loads((Path(__file__).parent / "contract" / "sdk_surface.json").read_text(encoding="utf-8"))["classes"]
INFO = "/training-jobs/10/versions/20"
CREATED = {"is_success": True, "job_id": 10, "version_id": 20}


def table(head: str, page: Path = PAGE) -> dict[str, list[str]]:
    """The cells of the table with this head, by its first cell without quotes."""
    found = re.search(rf"^\| {re.escape(head)} \|\n\|[-|]+\|\n((?:\|.*\n)+)", page.read_text(encoding="utf-8"), re.M)
    assert found is not None, head
    rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found[1].splitlines()]
    return {cells[0].strip("` "): cells[1:] for cells in rows}


def names(cell: str) -> set[str]:
    """The names in the code of a cell, without arguments."""
    return {re.sub(r"\(.*\)", "", text) for text in re.findall(r"`([^`]+)`", cell)}


# --- what is the same


def test_the_page_lists_exactly_what_is_documented() -> None:
    listed = {name: names(cells[0]) for name, cells in table("Class | Documented calls and attributes").items()}
    documented = {}
    for row in CLASSES:
        calls = {item["name"] for item in (*row.get("methods", ()), *row.get("attributes", ()))} - {"obs"}
        documented[row["name"]] = calls | ({row["name"]} if row.get("constructors") else set())

    assert listed == documented


@pytest.mark.parametrize(("where", "cells"), table("Where | Names").items())
def test_names_beyond_the_documents_exist(where: str, cells: list[str]) -> None:
    owner: Any = {"Session": Session, "session.obs": LocalBuckets, "Estimator": Estimator}.get(where)
    attributes = set(dir(owner)) if owner else set()
    if owner is Session:
        attributes |= {"auth", "region_name"}  # set by its constructor
    if where == "Estimator":
        attributes |= set(importlib.import_module("modelarts.estimator").__all__)
    elif where == "TrainingJob":
        attributes |= set(inspect.signature(TrainingJob).parameters)
    elif where == "VisualizationJob":
        attributes |= {*inspect.signature(VisualizationJob).parameters}
        attributes |= {*inspect.signature(VisualizationJob.create_visualization_job).parameters}
    elif where.startswith("modelarts."):
        attributes |= set(importlib.import_module(where).__all__)

    assert names(cells[0]) - attributes == set()


# --- what differs


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as faked:
        yield Cloud(faked)


@pytest.fixture
def session(cloud: Cloud) -> Iterator[Session]:
    with cloud_session() as opened:
        yield opened


def test_the_translation_names_the_same_differences() -> None:
    translated = table("项目 | 原 SDK | 本 SDK | 原因", PAGE.with_name("moving.zh.md"))

    assert len(translated) == len(table("What | Original | Here | Why"))


Check = Callable[[Cloud, Session], None]
CHECKS: dict[str, Check] = {}


def differs(row: str) -> Callable[[Check], Check]:
    """The check of a row of the table."""

    def add(check: Check) -> Check:
        CHECKS[row] = check
        return check

    return add


def creating(cloud: Cloud) -> None:
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", CREATED)


@differs("Checks")
def _(cloud: Cloud, session: Session) -> None:
    cloud.look_ups("specs", "engines")
    with pytest.raises(errors.ArgumentError) as caught:
        cloud_estimator(session, train_instance_count=0, output_path="output").fit("/b/d/")
    assert [problem.argument for problem in caught.value.problems] == ["train_instance_count", "output_path"]
    assert cloud.sent == []


@differs("Look-ups")
def _(cloud: Cloud, session: Session) -> None:
    creating(cloud)
    for _ in range(2):
        cloud_estimator(session).fit("/b/d/")
    assert len(cloud.calls) == 4


@differs("Undocumented members")
def _(cloud: Cloud, session: Session) -> None:
    creating(cloud)
    cloud_estimator(session, job_type="train").fit("/b/d/")
    cloud_estimator(session).fit("/b/d/", priority=1)
    for body, given in zip(cloud.sent, (None, 1)):
        assert body["config"].get("priority") == given
        assert not {"job_type", "autosearch_config"} & {*body, *body["config"]}


@differs("Pools")
def _(cloud: Cloud, session: Session) -> None:
    creating(cloud)
    cloud_estimator(session, pool_id="pool").fit("/b/d/")
    assert (cloud.sent[0]["config"]["pool_id"], cloud.sent[0]["config"]["spec_id"]) == ("pool", 2)


@differs("Lost replies")
def _(cloud: Cloud, session: Session) -> None:
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", requests.ConnectionError("reset"))
    cloud.answer("GET", "/training-jobs", {"is_success": True, "jobs": [], "job_total_count": 0})
    with session.deadline(1), pytest.raises(errors.OutcomeUnknown):
        cloud_estimator(session).fit("/b/d/", job_name="lost")
    assert [call for call in cloud.calls if call.startswith("POST")] == ["POST /training-jobs"]


@differs("delete_job_by_id")
def _(cloud: Cloud, session: Session) -> None:
    cloud.answer("DELETE", "/training-jobs/10", {"is_success": True})
    assert Estimator.delete_job_by_id(session, 10) == {"is_success": True}


@differs("get_job_log")
def _(cloud: Cloud, session: Session) -> None:
    cloud.answer("GET", f"{INFO}/aom-log", {"content": "line", "lines": 1, "start_line": "1", "end_line": "1"})
    cloud.answer("GET", f"{INFO}/log", {"log": "text", "end_byte": 4, "log_byte_count": 4})
    job = TrainingJob(session, 10, 20)
    assert (job.get_job_log("log").content, job.get_job_log("log", start_byte=0).content) == ("line", "text")


@differs("fit(wait=True)")
def _(cloud: Cloud, session: Session) -> None:
    creating(cloud)
    cloud.answer("GET", INFO, {"is_success": True, "job_id": 10, "status": 11, "error_result": "no data"})
    cloud.answer("GET", f"{INFO}/log/file-names", {"log_file_list": ["job-digits.0"]})
    lines = {"content": "epoch 1\n", "lines": 1, "start_line": "1", "end_line": "1"}
    cloud.answer("GET", f"{INFO}/aom-log", lines)
    cloud.answer("GET", f"{INFO}/aom-log", {**lines, "content": "", "lines": 0})
    shown = io.StringIO()
    with redirect_stdout(shown):
        cloud_estimator(session).fit("/b/d/", wait=True)
    assert "JOBSTAT_FAILED" in shown.getvalue()
    assert "epoch 1\n" in shown.getvalue()
    assert "no data" in shown.getvalue()


@differs("Misspelled attributes")
def _(cloud: Cloud, session: Session) -> None:
    with pytest.raises(AttributeError, match="did you mean 'hyperparameters'"):
        cloud_estimator(session).hyperparameter = {}


@differs("Positional arguments")
def _(cloud: Cloud, session: Session) -> None:
    creating(cloud)
    cloud_estimator(session).fit("/b/d/", False, "older")
    cloud_estimator(session).fit("/b/d/", None, None, False, "documented")
    assert [body["job_name"] for body in cloud.sent] == ["older", "documented"]


@differs("Hyperparameters")
def _(cloud: Cloud, session: Session) -> None:
    cloud.look_ups("specs", "engines")
    for given in ({"lr": 0.1}, [{"label": "lr", "value": "0.1"}]):
        body = cloud_estimator(session, hyperparameters=given).payload(inputs="/b/d/")
        assert body["config"]["parameter"] == [{"label": "lr", "value": "0.1"}]


@differs("Labels")
def _(cloud: Cloud, session: Session) -> None:
    cloud.look_ups("specs", "engines")
    given = [{"label": "lr", "value": "0.1"}, {"label": "lr", "value": "0.2"}]
    with pytest.raises(errors.ArgumentError, match="'lr': is there twice; keep one"):
        cloud_estimator(session, hyperparameters=given).payload(inputs="/b/d/")


@differs("Paths")
def _(cloud: Cloud, session: Session) -> None:
    cloud.look_ups("specs", "engines")
    body = cloud_estimator(session, code_dir="code", boot_file="train.py").payload(inputs="/b/d/")
    assert body["config"]["boot_file_url"].endswith("/train.py")
    assert body["config"]["app_url"].startswith(f"/{session._default_bucket_name}/")


@differs("Bucket names")
def _(cloud: Cloud, session: Session) -> None:
    with pytest.raises(errors.ObsError, match="3 to 63"):
        session.create_bucket("a")
    assert cloud.calls == []


@differs("Connection errors")
def _(cloud: Cloud, session: Session) -> None:
    for _ in range(20):
        cloud.answer("GET", INFO, requests.ConnectionError("reset"))
    with session.deadline(0.2), pytest.raises(errors.ConnectionFailed):
        TrainingJob(session, 10, 20).get_job_info()


@differs("Refused logins")
def _(cloud: Cloud, session: Session) -> None:
    cloud.answer("GET", INFO, {"error_code": "ModelArts.0206", "error_msg": "no such key", "is_success": False}, 401)
    with pytest.raises(errors.AuthError, match="no such key"):
        TrainingJob(session, 10, 20).get_job_info()


@differs("app_id`, `app_token`, `w3_account`, `w3_password")
def _(cloud: Cloud, session: Session) -> None:
    for name in ("app_id", "app_token", "w3_account", "w3_password"):
        with pytest.raises(errors.ConfigError, match=f"{name} is not supported"):
            Session(**{name: "x"})


@differs("Other parts of the SDK")
def _(cloud: Cloud, session: Session) -> None:
    folder = Path(modelarts.__file__).parent
    assert not any((folder / f"{name}.py").exists() or (folder / name).exists() for name in ("model", "workflow"))


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print()")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("row", table("What | Original | Here | Why"))
def test_a_difference_is_as_the_page_says(row: str, cloud: Cloud, session: Session, code: None) -> None:
    CHECKS[row](cloud, session)


def test_a_status_prints_as_digits_and_indexes_the_names(cloud: Cloud, session: Session) -> None:
    cloud.answer("GET", INFO, {"is_success": True, "status": 12})
    status = TrainingJob(session, 10, 20).get_job_info()["status"]
    assert (JOB_STATE[status], str(status)) == ("JOBSTAT_KILLED", "12")
