"""Look-ups read all pages of a list, of a cloud that pages it and of one that does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from modelarts._api import pages
from modelarts._submit import idempotent_create
from modelarts.errors import ApiError
from modelarts.estimator import Estimator, VisualizationJob
from modelarts.session import Session
from tests.support.cloud import BASE, LISTS, MADE, Cloud, cloud_estimator, cloud_session
from tests.support.environment import in_process

CONFIG = {"operation": "create_training_job_config", "config_name": "c"}
MANY: dict[str, list[dict[str, Any]]] = {
    "specs": [{"spec_id": number, "spec_code": f"flavor-{number}", "max_num": 1} for number in range(1, 26)],
    "engines": [
        {"engine_id": number, "engine_name": "PyTorch", "engine_version": f"PyTorch-{number}"}
        for number in range(1, 26)
    ],
    "models": [{"model_id": number, "model_name": f"model-{number}"} for number in range(1, 26)],
}
LAST = {
    "specs": {"train_instance_type": "flavor-25"},
    "engines": {"framework_version": "PyTorch-25"},
    "models": {"model_name": "model-25"},
}
IDS = {"specs": "spec_id", "engines": "engine_id", "models": "model_id"}
Paging = Callable[[list[dict[str, Any]], dict[str, str]], list[dict[str, Any]]]


def paged(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, page = min(int(query.get("per_page", 10)), 100), int(query.get("page", 1))
    return rows[(page - 1) * size : page * size]


def capped(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    """Of a service whose pages have ten rows, whatever size is requested."""
    return paged(rows, {**query, "per_page": "10"})


def whole(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    """Of a service that knows no pages."""
    return rows


def serve(cloud: Cloud, kind: str, paging: Paging, rows: list[dict[str, Any]], total: str = "", count: int = 0) -> None:
    """Answer the look-ups of one list; with a total where a member is named for it."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        reply: dict[str, Any] = {"is_success": True, kind: paging(rows, query)}
        if total:
            reply[total] = count or len(rows)
        content = json.dumps(reply)
        return 200, {"Content-Length": str(len(content))}, content

    cloud.faked.add_callback("GET", BASE + LISTS[kind][0], answer)


@pytest.mark.parametrize(
    ("kind", "paging", "total"),
    [
        ("models", paged, "model_total_count"),
        ("models", capped, "model_total_count"),
        ("models", capped, ""),
        ("models", whole, ""),
        ("specs", paged, "spec_total_count"),
        ("specs", paged, ""),
        ("specs", whole, "spec_total_count"),
        ("engines", paged, ""),
        ("engines", whole, ""),
    ],
)
def test_the_last_row_of_a_long_list_is_found(cloud: Cloud, session: Session, kind: str, paging: Paging, total: str):
    other = {"specs": "engines"}.get(kind, "specs")
    cloud.look_ups(other)
    serve(cloud, kind, paging, MANY[kind], total)

    body = cloud_estimator(session, **LAST[kind]).payload(**CONFIG)

    assert body[IDS[kind]] == 25
    assert session.catalog.rows(kind) == MANY[kind]


def test_all_algorithms_are_listed(cloud: Cloud, session: Session):
    rows = [{"model_id": number, "model_name": f"m{number}", "parameter": "[]"} for number in range(1, 206)]
    serve(cloud, "models", paged, rows, "model_total_count")

    listed = Estimator.get_built_in_algorithms(session)

    assert [model.model_id for model in listed.models] == list(range(1, 206))
    assert {str(model.parameter) for model in listed.models} == {"[]"}
    assert (listed.model_total_count, len(cloud.requests)) == (205, 4)


def test_ten_algorithms_cost_one_request(cloud: Cloud, session: Session):
    serve(cloud, "models", paged, MANY["models"][:10], "model_total_count")

    assert len(session.catalog.rows("models")) == 10
    assert len(cloud.requests) == 1


@pytest.mark.parametrize("total", ["model_total_count", ""])
@pytest.mark.parametrize("most", [10, 30, 50])
def test_pages_may_be_shorter_than_requested(cloud: Cloud, session: Session, most: int, total: str):
    rows = [{"model_id": number, "model_name": f"m{number}"} for number in range(1, 126)]

    def shorter(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        return paged(rows, {**query, "per_page": str(min(most, int(query.get("per_page", 10))))})

    serve(cloud, "models", shorter, rows, total)

    assert session.catalog.rows("models") == rows


@pytest.mark.parametrize(("path", "rows", "row_id", "total", "iterate"), [
    ("/training-jobs", "jobs", "job_id", "job_total_count", Estimator.iter_jobs),
    ("/visualization-jobs", "jobs", "job_id", "job_total_count", VisualizationJob.iter_visualization_jobs),
    ("/training-job-configs", "configs", "config_name", "config_total_count", Estimator.iter_job_configs),
])  # fmt: skip
@pytest.mark.parametrize("most", [10, 100])
def test_iterators_read_every_row_from_pages_that_are_shorter_than_requested(
    cloud: Cloud, session: Session, most: int, path: str, rows: str, row_id: str, total: str,
    iterate: Callable[..., Any],
):  # fmt: skip
    ids: list[Any] = [str(number) if row_id == "config_name" else number for number in range(1, 206)]

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        size = min(most, int(query["per_page"]))
        first = (int(query["page"]) - 1) * size
        content = json.dumps({total: len(ids), rows: [{row_id: value} for value in ids[first : first + size]]})
        return 200, {"Content-Length": str(len(content))}, content

    cloud.faked.add_callback("GET", BASE + path, answer)

    assert [row[row_id] for row in iterate(session)] == ids


def test_all_engines_are_listed(cloud: Cloud, session: Session):
    serve(cloud, "engines", paged, MANY["engines"])

    listed = Estimator.get_framework_list(session)

    assert [row["framework_version"] for row in listed] == [row["engine_version"] for row in MANY["engines"]]


def test_all_flavors_are_listed(cloud: Cloud, session: Session):
    serve(cloud, "specs", paged, MANY["specs"], "spec_total_count")

    assert Estimator.get_train_instance_types(session) == [row["spec_code"] for row in MANY["specs"]]


@pytest.mark.parametrize("count", [5, 10, 25])
def test_a_list_that_is_always_the_same_is_read_once_more_at_most(cloud: Cloud, session: Session, count: int):
    serve(cloud, "engines", whole, MANY["engines"][:count])

    assert len(session.catalog.rows("engines")) == count
    assert len(cloud.requests) == (2 if count == 10 else 1)


def test_a_total_that_is_never_reached_ends_the_list(cloud: Cloud, session: Session):
    serve(cloud, "specs", whole, MANY["specs"], "spec_total_count", count=99)

    assert len(session.catalog.rows("specs")) == 25
    assert len(cloud.requests) == 2


def test_an_endless_list_ends(cloud: Cloud, session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "MOST_PAGES", 7)

    def endless(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        first = 100 * int(query.get("page", 1))
        return [{"model_id": first + number, "model_name": "m"} for number in range(int(query.get("per_page", 10)))]

    serve(cloud, "models", endless, [])

    assert len(session.catalog.rows("models")) == 700


def test_a_refused_page_refuses_the_call(cloud: Cloud, session: Session):
    refusal = {"is_success": False, "error_code": "ModelArts.0105", "error_message": "not allowed"}
    first = [{"model_id": number, "model_name": "m"} for number in range(1, 101)]
    for _ in range(2):
        cloud.answer("GET", "/built-in-algorithms", {"is_success": True, "model_total_count": 101, "models": first})
        cloud.answer("GET", "/built-in-algorithms", refusal, 400)

    assert Estimator.get_built_in_algorithms(session).error_code == "ModelArts.0105"
    with pytest.raises(ApiError, match=r"ModelArts\.0105: not allowed"):
        session.catalog.load(["models"])


def test_a_lost_job_is_found_behind_others_whose_names_hold_its_own():
    others = [{"job_id": number, "job_name": f"digits-{number}"} for number in range(1, 1001)]
    made = {**MADE, "job_id": 2000}
    listed = [{"is_success": True, "job_total_count": 1001, "jobs": rows} for rows in (others, [made])]
    with responses.RequestsMock() as faked, cloud_session() as session:
        faked.post(f"{BASE}/training-jobs", body=requests.ConnectionError("lost"))
        for page, reply in enumerate(listed, 1):
            query = {"per_page": 1000, "search_content": "digits", **({"page": page} if page > 1 else {})}
            faked.get(f"{BASE}/training-jobs", json=reply, match=[responses.matchers.query_param_matcher(query)])

        with pytest.raises(Exception, match=r"job named 'digits' \(job_id 2000\)"):  # too old to be this call's
            idempotent_create.create_job(session.client, {"job_name": "digits"})


def test_all_algorithms_of_the_local_service_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with in_process(tmp_path / "home") as world:
        algorithms = world.service.catalog.algorithms
        pattern = next(iter(algorithms.values()))
        for number in range(1001, 1151):
            monkeypatch.setitem(algorithms, number, {**pattern, "model_id": number, "model_name": f"added-{number}"})

        listed = Estimator.get_built_in_algorithms(world.session)
        estimator = Estimator(
            world.session, model_name="added-1150", train_instance_type="local", train_instance_count=1,
            output_path="/bucket/output/",
        )  # fmt: skip
        body = estimator.payload(**CONFIG)

    assert len(listed.models) == listed.model_total_count == len(algorithms) >= 155
    assert body["model_id"] == 1150
