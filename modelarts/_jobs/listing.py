"""The documented calls on the class `Estimator`: lists, and what the service offers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from modelarts._api.catalog import SPECS
from modelarts._jobs.pagination import CONFIG_COLUMNS, CONFIGS, JOBS, doc_default, iterate, show
from modelarts._submit.checks import identifier, on_session, raise_if_any
from modelarts._transport.response import Response, rows_of
from modelarts._wire import json_records
from modelarts._wire.json_records import Record
from modelarts.job import Identifier, TrainingJob
from modelarts.session import Session


@on_session
def get_job_list(
    modelarts_session: Session,
    status: Any = None,
    per_page: int = doc_default(10),
    page: int = doc_default(1),
    sort_by: str = doc_default("job_name"),
    order: str = doc_default("desc"),
    search_content: str = doc_default(""),
    *,
    sortBy: str | None = None,
    workspace_id: str | None = None,
) -> Response:
    """List training jobs, one page (modelarts_04_0160).

    What is left out is left to the service.

    Args:
        status: a number, a name such as `RUNNING`, or a list of them.
        per_page: 1 to 1000.
        page: from 1.
        sort_by, sortBy: job_name, job_desc, status, duration, version_count or create_time.
        order: asc or desc.
        search_content: part of the name, at most 100 characters.

    Returns:
        A response with `job_total_count` and `jobs`.
    """
    query = JOBS.query(status, per_page, page, sortBy or sort_by, order, search_content, workspace_id)
    return modelarts_session.client.call(JOBS.operation, query=query)


@on_session
def iter_jobs(modelarts_session: Session, **filters: Any) -> Iterator[Record]:
    """All jobs, page after page; takes the filters of `get_job_list` but the page."""
    return iterate(modelarts_session.client, JOBS, filters)


@on_session
def delete_job_by_id(modelarts_session: Session, job_id: Identifier) -> Response:
    """Delete a job with all its versions (modelarts_04_0166)."""
    raise_if_any("delete_job_by_id", identifier("job_id", job_id, "the job to delete"))
    return TrainingJob(modelarts_session, job_id).delete_job()


@on_session
def get_job_configs_list(
    modelarts_session: Session,
    per_page: int = doc_default(10),
    page: int = doc_default(1),
    sort_by: str = doc_default("job_name"),
    order: str = doc_default("asc"),
    search_content: str = doc_default(""),
    *,
    sortBy: str | None = None,
    config_type: str | None = None,
) -> Response:
    """List saved configurations, one page (modelarts_04_0176).

    Args:
        sort_by, sortBy: config_name, config_desc or create_time; job_name and job_desc mean the first two.
        config_type: custom or sample.

    The other arguments are those of `get_job_list`.

    Returns:
        A response with `config_total_count` and `configs`.
    """
    query = CONFIGS.query(None, per_page, page, sortBy or sort_by, order, search_content, config_type=config_type)
    return modelarts_session.client.call(CONFIGS.operation, query=query)


@on_session
def get_job_configs_object_list(
    modelarts_session: Session,
    per_page: int = doc_default(10),
    page: int = doc_default(1),
    sort_by: str = doc_default("job_name"),
    order: str = doc_default("asc"),
    search_content: str = doc_default(""),
    is_show: bool = True,
    *,
    sortBy: str | None = None,
) -> list[TrainingJob]:
    """List saved configurations as handles, one page (modelarts_04_0175).

    Args:
        is_show: also print them as a table.
    """
    query = CONFIGS.query(None, per_page, page, sortBy or sort_by, order, search_content)
    rows = rows_of(modelarts_session.client.call(CONFIGS.operation, query=query, raise_on_error=True), CONFIGS.rows)
    show(rows, CONFIG_COLUMNS, is_show)
    return [TrainingJob(modelarts_session, config_name=row["config_name"]) for row in rows]


@on_session
def iter_job_configs(modelarts_session: Session, **filters: Any) -> Iterator[Record]:
    """All saved configurations, page after page; takes the filters of `get_job_configs_list` but the page."""
    return iterate(modelarts_session.client, CONFIGS, filters)


@on_session
def get_train_instance_types(modelarts_session: Session) -> list[str]:
    """List the flavor codes for `train_instance_type` (modelarts_04_0191)."""
    modelarts_session.catalog.load([SPECS], fresh=True)
    return list(dict.fromkeys(row["spec_code"] for row in modelarts_session.catalog.rows(SPECS)))


@on_session
def get_framework_list(modelarts_session: Session) -> list[dict[str, str]]:
    """List the engines as dicts of `framework_type` and `framework_version` (modelarts_04_0192)."""
    engines = rows_of(modelarts_session.client.call("list_job_engines", raise_on_error=True), "engines")
    return [
        {"framework_type": row["engine_name"], "framework_version": row["engine_version"]} for row in engines
    ]


@on_session
def get_built_in_algorithms(modelarts_session: Session) -> Response:
    """List the built-in algorithms for `model_name`, their parameters decoded (modelarts_04_0190)."""
    response = modelarts_session.client.call("list_built_in_algorithms")
    for model in response.get("models") or ():
        if isinstance(model.get("parameter"), str):  # JSON text in REST, a list in the SDK (ALGPARAM)
            with suppress(ValueError):  # what is no JSON stays as it came
                model["parameter"] = json_records.parse(model["parameter"] or "[]")
    return response
