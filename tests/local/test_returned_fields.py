"""Every documented call returns its documented fields, against the local service."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from modelarts.estimator import Estimator, VisualizationJob
from modelarts.local import daemon
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, LIGHT_TENSORBOARD, estimator, put_code

CONTRACT = Path(__file__).parents[1] / "contract" / "sdk_surface.json"
CLASSES = {row["name"]: row for row in json.loads(CONTRACT.read_text(encoding="utf-8"))["classes"]}
RETURNS = {
    f"{owner}.{method['name']}": method["returns"]
    for owner in ("Estimator", "VisualizationJob")
    for method in CLASSES[owner]["methods"]
    if method.get("returns", {}).get("fields")
}
# What only an algorithm's metric file can hold.
OF_METRICS = {"metric", "total_metric"}


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """A session with a finished job, a configuration and a visualization job, and the calls on them."""
    home = tmp_path_factory.mktemp("state")
    scratch = tmp_path_factory.mktemp("code")
    with pytest.MonkeyPatch.context() as patch:  # the service that starts here keeps the variable
        patch.setenv("PYTHONPATH", str(LIGHT_TENSORBOARD), prepend=os.pathsep)
        session = Session.local(home)
    session.obs.create_bucket("bucket")
    put_code(session, scratch, ACCEPT_ANY)
    trained = estimator(session, hyperparameters={"lr": 1})
    source = [{"type": "obs", "data_url": "/bucket/data/"}]
    job = trained.fit(data_source=source, job_name="fields")
    job.wait(show=False)
    trained.create_job_configs("fields", inputs="/bucket/data/")
    viewer = VisualizationJob(session).create_visualization_job("/bucket/output/", "fields")
    config = Estimator(session, config_name="fields")
    yield {
        "Estimator.update_job_configs": lambda: trained.update_job_configs("fields", inputs="/bucket/data/"),
        "Estimator.get_job_list": lambda: Estimator.get_job_list(session),
        "Estimator.get_job_info": job.get_job_info,
        "Estimator.update_job_description": lambda: job.update_job_description("text"),
        "Estimator.get_job_log_file_list": job.get_job_log_file_list,
        "Estimator.get_job_log": lambda: job.get_job_log("job-fields.0"),
        "Estimator.get_job_version_info": job.get_job_version_info,
        "Estimator.get_job_configs_list": lambda: Estimator.get_job_configs_list(session),
        "Estimator.get_job_configs_info": config.get_job_configs_info,
        "Estimator.get_built_in_algorithms": lambda: Estimator.get_built_in_algorithms(session),
        "Estimator.get_framework_list": lambda: Estimator.get_framework_list(session)[0],
        "Estimator.stop_job_version": lambda: trained.fit(inputs="/bucket/data/").stop_job_version(),
        "Estimator.delete_job_version": lambda: trained.fit(inputs="/bucket/data/").delete_job_version(),
        "Estimator.delete_job_by_id": lambda: Estimator.delete_job_by_id(
            session, trained.fit(inputs="/bucket/data/").job_id
        ),
        "Estimator.delete_job_configs": lambda: trained.create_job_configs("gone").delete_job_configs(),
        "VisualizationJob.get_visualization_job_list": lambda: VisualizationJob.get_visualization_job_list(session),
        "VisualizationJob.get_visualization_job_info": viewer.get_visualization_job_info,
        "VisualizationJob.update_visualization_job": lambda: viewer.update_visualization_job("text"),
        "VisualizationJob.stop_visualization_job": viewer.stop_visualization_job,
        "VisualizationJob.restart_visualization_job": lambda: restarted(session),
        "VisualizationJob.delete_visualization_job": lambda: VisualizationJob(session)
        .create_visualization_job("/bucket/output/", "gone")
        .delete_visualization_job(),
    }
    session.close()
    for row in VisualizationJob.iter_visualization_jobs(session):
        VisualizationJob(session, row.job_id).delete_visualization_job()
    daemon.stop(home)


def restarted(session: Session):
    from tests.support.jobs import until

    viewer = VisualizationJob(session).create_visualization_job("/bucket/output/", "again")
    viewer.stop_visualization_job()
    until(lambda: viewer.get_visualization_job_info().status == 12)
    return viewer.restart_visualization_job()


@pytest.mark.parametrize("call", RETURNS)
def test_documented_fields_are_returned(calls, call):
    answer = calls[call]()

    assert not missing(RETURNS[call]["fields"], answer)


def missing(fields: list[dict[str, Any]], answer: dict[str, Any], place: str = "") -> list[str]:
    """Documented members that a reply does not have; of lists, the first element is checked."""
    absent = []
    for field in fields:
        name = field["name"]
        if field.get("presence") == "failure_only" or name in OF_METRICS:
            continue
        if name not in answer:
            absent.append(f"{place}{name}")
            continue
        inner = field.get("fields") or field.get("items")
        value = answer[name]
        if isinstance(inner, list) and value:
            absent += missing(inner, value[0] if isinstance(value, list) else value, f"{place}{name}.")
    return absent
