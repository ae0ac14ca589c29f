"""The documented calls on the class `Estimator` that read lists: jobs, configurations, and what a service offers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from modelarts._api import pages
from modelarts._api.catalog import SPECS
from modelarts._jobs.pagination import CONFIGS, JOBS, ROWS, doc_default, iterate
from modelarts._submit.checks import on_session
from modelarts._transport.response import Response, rows_of
from modelarts._wire import json_records

if TYPE_CHECKING:
    from modelarts._api.replies import (
        AlgorithmList,
        ConfigList,
        ConfigRow,
        EngineList,
        FlavorList,
        Framework,
        JobList,
        JobRow,
    )
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
) -> JobList:
    """List training jobs, one page (modelarts_04_0160).

    Arguments that are left out are not sent: the service uses its own defaults.

    Args:
        modelarts_session: the session to use.
        status: a number, a name such as `RUNNING`, or a list of them.
        per_page: rows of a page, 1 to 1000.
        page: number of the page, from 1.
        sort_by, sortBy: job_name, job_desc, status, duration, version_count, engine_type or create_time.
        order: asc or desc.
        search_content: part of the name, at most 100 characters.
        workspace_id: only jobs of this workspace.

    Returns:
        A response with `job_total_count` and `jobs`.

    Raises:
        ArgumentError: an argument breaks a rule; nothing was sent.
    """
    query = JOBS.query(
        status=status, per_page=per_page, page=page, sort_by=sort_by, sortBy=sortBy, order=order,
        search_content=search_content, workspace_id=workspace_id,
    )  # fmt: skip
    return cast("JobList", modelarts_session.client.call(JOBS.operation, query=query))


@on_session
def iter_jobs(
    modelarts_session: Session,
    status: Any = None,
    per_page: int = ROWS,
    sort_by: str = "create_time",
    order: str = "asc",
    search_content: str | None = None,
    *,
    sortBy: str | None = None,
    workspace_id: str | None = None,
) -> Iterator[JobRow]:
    """Iterate over all training jobs, each once, also while jobs are created and deleted.

    Args:
        modelarts_session: the session to use.
        per_page: rows of each request, 1 to 1000.
        status, sort_by, sortBy, order, search_content, workspace_id: as for `get_job_list`.

    Returns:
        An iterator over the rows that `get_job_list` has in `jobs`. Pages are requested as they are needed.

    Raises:
        ArgumentError: an argument breaks a rule; nothing was sent.
        ApiError: while iterating, when the service refuses a page.
    """
    rows = iterate(
        modelarts_session.client, JOBS, status=status, per_page=per_page, sort_by=sort_by, sortBy=sortBy, order=order,
        search_content=search_content, workspace_id=workspace_id,
    )  # fmt: skip
    return cast("Iterator[JobRow]", rows)


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
) -> ConfigList:
    """List saved configurations, one page (modelarts_04_0176).

    Args:
        modelarts_session: the session to use.
        per_page: rows of a page, 1 to 1000.
        page: number of the page, from 1.
        sort_by, sortBy: config_name, config_desc or create_time; job_name and job_desc mean the first two.
        order: asc or desc.
        search_content: part of the name, at most 100 characters.
        config_type: `custom` (the default) for your own, `sample` for those of the service.

    Returns:
        A response with `config_total_count` and `configs`.

    Raises:
        ArgumentError: an argument breaks a rule; nothing was sent.
    """
    query = CONFIGS.query(
        per_page=per_page, page=page, sort_by=sort_by, sortBy=sortBy, order=order, search_content=search_content,
        config_type=config_type,
    )  # fmt: skip
    return cast("ConfigList", modelarts_session.client.call(CONFIGS.operation, query=query))


@on_session
def iter_job_configs(
    modelarts_session: Session,
    per_page: int = ROWS,
    sort_by: str = "create_time",
    order: str = "asc",
    search_content: str | None = None,
    *,
    sortBy: str | None = None,
    config_type: str | None = None,
) -> Iterator[ConfigRow]:
    """Iterate over all saved configurations, each once.

    Args:
        modelarts_session: the session to use.
        per_page: rows of each request, 1 to 1000.
        sort_by, sortBy, order, search_content, config_type: as for `get_job_configs_list`.

    Returns:
        An iterator over the rows that `get_job_configs_list` has in `configs`. Pages are requested as they are needed.

    Raises:
        ArgumentError: an argument breaks a rule; nothing was sent.
        ApiError: while iterating, when the service refuses a page.
    """
    rows = iterate(
        modelarts_session.client, CONFIGS, per_page=per_page, sort_by=sort_by, sortBy=sortBy, order=order,
        search_content=search_content, config_type=config_type,
    )  # fmt: skip
    return cast("Iterator[ConfigRow]", rows)


@on_session
def get_train_instance_types(modelarts_session: Session) -> list[str]:
    """List the flavor codes for `train_instance_type` (modelarts_04_0191).

    Args:
        modelarts_session: the session to use.

    Returns:
        The codes, each once.

    Raises:
        ApiError: the service refused.
    """
    modelarts_session.catalog.load([SPECS], fresh=True)
    return list(dict.fromkeys(row["spec_code"] for row in modelarts_session.catalog.rows(SPECS)))


@on_session
def get_framework_list(modelarts_session: Session) -> list[Framework]:
    """List the engines for `framework_type` and `framework_version` (modelarts_04_0192).

    Args:
        modelarts_session: the session to use.

    Returns:
        A dict of `framework_type` and `framework_version` for each engine.

    Raises:
        ApiError: the service refused.
    """
    engines = rows_of(pages.read_all(modelarts_session.client, pages.ENGINES, raise_on_error=True), "engines")
    return [
        {"framework_type": row["engine_name"], "framework_version": row["engine_version"]} for row in engines
    ]


@on_session
def get_engine_list(modelarts_session: Session) -> EngineList:
    """List the engines as the REST API does; `get_framework_list` has names and versions only.

    Args:
        modelarts_session: the session to use.

    Returns:
        A response with `engines`.

    Raises:
        ArgumentError: `modelarts_session` is not a session.
    """
    return cast("EngineList", pages.read_all(modelarts_session.client, pages.ENGINES))


@on_session
def get_spec_list(modelarts_session: Session) -> FlavorList:
    """List the flavors as the REST API does; `get_train_instance_types` has their codes only.

    Args:
        modelarts_session: the session to use.

    Returns:
        A response with `spec_total_count` and `specs`.

    Raises:
        ArgumentError: `modelarts_session` is not a session.
    """
    return cast("FlavorList", pages.read_all(modelarts_session.client, pages.FLAVORS))


@on_session
def get_job_pool_list(modelarts_session: Session) -> Response:
    """List the dedicated resource pools for `pool_id`. This call is not documented, so a service may not have it.

    Args:
        modelarts_session: the session to use.

    Returns:
        A response with `pool_total_count` and `pools`; there are none on the local service.

    Raises:
        ArgumentError: `modelarts_session` is not a session.
    """
    return modelarts_session.client.call("list_pools")


@on_session
def get_built_in_algorithms(modelarts_session: Session) -> AlgorithmList:
    """List the built-in algorithms for `model_name` (modelarts_04_0190).

    Args:
        modelarts_session: the session to use.

    Returns:
        A response with `models`; the `parameter` of each is decoded to a list.
    """
    response = cast("AlgorithmList", pages.read_all(modelarts_session.client, pages.ALGORITHMS))
    for model in response.get("models") or ():
        if isinstance(model.get("parameter"), str):  # JSON text in REST, a list in the SDK (ALGPARAM)
            with suppress(ValueError):  # a text that is not JSON stays a text
                model["parameter"] = json_records.parse(model["parameter"] or "[]")
    return response
