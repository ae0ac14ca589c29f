"""Requests recorded from the original SDK get a response, and this SDK sends the same but for listed differences."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
import requests

from modelarts._wire.v1.routes import ROUTES
from modelarts.estimator import Estimator, VisualizationJob
from modelarts.session import Session
from tests.sdk.test_payload_samples import CALLS as CREATING
from tests.support.cloud import contract
from tests.support.environment import ANY, BODY, PROJECT, Environment, in_process
from tests.support.rest import OPERATIONS, reply_faults, request_faults

OBSERVED = contract("observed.json")
ROWS = {row["call"]: row["requests"] for row in OBSERVED["calls"]}
Sent = tuple[str, str, Any]  # method, path with query, body
STANDS_FOR = {"resnet_v1_50": "ResNet_v2_50"}  # the recording server named an algorithm that no document lists


@attrs.frozen
class Made:
    """What exists when a call is made, under the names and ids that were recorded."""

    environment: Environment
    job_id: int
    version_id: int
    other_job_id: int
    visualization_id: int
    log_file: str

    @classmethod
    def of(cls, environment: Environment, call: str) -> Made:
        version, other = environment.version(8, log="a line\n"), environment.version(10)
        viewer = environment.visualization(10 if call.startswith("restart") else 8)
        if not call.startswith("create_job_configs"):
            environment.call("create_training_job_config", body={**BODY, "config_name": "my_job_config"})
        environment.exchanges.clear()
        return cls(environment, version.job_id, version.id, other.job_id, viewer.id, environment.log_file(version))

    @property
    def session(self) -> Session:
        return self.environment.session

    @property
    def job(self) -> Estimator:
        return Estimator(self.session, job_id=self.job_id, version_id=self.version_id)

    @property
    def config(self) -> Estimator:
        return Estimator(self.session, config_name="my_job_config")

    @property
    def viewer(self) -> VisualizationJob:
        return VisualizationJob(self.session, self.visualization_id)

    def here(self, request: dict[str, Any]) -> Sent:
        """A recorded request, with the ids of this environment."""
        names = {"182626": self.job_id, "278813": self.version_id, "155500": self.other_job_id,
                 "8992": self.visualization_id, "job-n.0": self.log_file, "{project_id}": PROJECT}  # fmt: skip
        path = re.sub("|".join(map(re.escape, names)), lambda found: str(names[found[0]]), request["path"])
        body = copy.deepcopy(request.get("body"))
        settings = (body or {}).get("config", body or {})
        if "pre_version_id" in settings:
            settings["pre_version_id"] = self.version_id
        for member, ids in self._ids().items():
            if member in settings:
                settings[member] = ids[settings[member]]
        return request["method"], path, body

    def _ids(self) -> dict[str, dict[int, int]]:
        """The ids of this environment for those of the recording."""
        offered, told = self.environment.service.catalog, OBSERVED["look_ups_answered_with"]
        lists = {
            "spec_id": (told["resource-specs"], offered.specs, ("spec_code",)),
            "engine_id": (told["ai-engines"], offered.engines, ("engine_name", "engine_version")),
            "model_id": (told["built-in-algorithms"], offered.algorithms, ("model_name",)),
        }
        return {
            member: {
                row[member]: next(
                    number for number, ours in known.items()
                    if all(ours[key] == STANDS_FOR.get(row[key], row[key]) for key in keys)
                )
                for row in rows
            }
            for member, (rows, known, keys) in lists.items()
        }  # fmt: skip


ALL = {"per_page": 1000}


def remove_all(environment: Environment) -> None:
    """Remove what earlier calls created, whose names are those of the recording."""
    store = environment.store
    for job in environment.call("list_training_jobs", query=ALL).members["jobs"]:
        for version in store.jobs.versions(job["job_id"]):
            store.jobs.transition(version.id, ANY, 10)
        store.jobs.delete(job["job_id"])
    for config in environment.call("list_training_job_configs", query=ALL).members["configs"]:
        store.configs.delete(config["config_name"])
    for viewer in environment.call("list_visualization_jobs", query=ALL).members["jobs"]:
        store.visualizations.delete(viewer["job_id"])


# --- responses to the original SDK


@pytest.mark.parametrize("call", ROWS)
def test_a_recorded_request_gets_a_documented_response(environment: Environment, call: str) -> None:
    remove_all(environment)
    made = Made.of(environment, call)
    for method, path, body in map(made.here, ROWS[call]):
        reply = environment.send(method, path, body)

        assert (reply.status_code, reply_faults(operation_of(method, path), reply.json())) == (200, []), reply.text


def operation_of(method: str, path: str) -> str:
    """The operation that a request calls."""
    path = urlsplit(path).path
    return next(
        route.operation for route in ROUTES
        if route.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), path)
    )  # fmt: skip


# --- this SDK sends the same


def creating(call: str) -> Callable[[Made], Any]:
    of_estimator, of_call = CREATING[call]

    def send(made: Made) -> Any:
        estimator = Estimator(
            made.session, **{"train_instance_count": 1, "output_path": "/bucket/output/", **of_estimator}
        )
        ids = {"job_id": made.job_id, "pre_version_id": made.version_id}
        arguments = {name: ids.get(name, value) for name, value in of_call.items()}
        estimator.model_name = STANDS_FOR.get(str(estimator.model_name), estimator.model_name)
        return getattr(estimator, call.partition("(")[0])(**arguments)

    return send


PAGE: dict[str, Any] = {"per_page": 10, "page": 1, "order": "asc"}
SENT: dict[str, Callable[[Made], Any]] = {
    **{call: creating(call) for call in CREATING},
    "get_job_list(status, per_page, page, order, search_content)": lambda made: Estimator.get_job_list(
        made.session, status=8, search_content="job", **PAGE
    ),
    "get_job_list()": lambda made: Estimator.get_job_list(made.session),
    "get_job_info": lambda made: made.job.get_job_info(),
    "get_job_version_info": lambda made: made.job.get_job_version_info(),
    "get_job_log_file_list": lambda made: made.job.get_job_log_file_list(),
    "stop_job_version": lambda made: made.job.stop_job_version(),
    "delete_job_version": lambda made: made.job.delete_job_version(),
    "get_job_version_object_list": lambda made: made.job.get_job_version_object_list(is_show=False),
    "get_job_log(log_file)": lambda made: made.job.get_job_log(made.log_file),
    "update_job_description": lambda made: made.job.update_job_description("dd"),
    "delete_job_by_id": lambda made: Estimator.delete_job_by_id(made.session, made.other_job_id),
    "get_job_configs_info": lambda made: made.config.get_job_configs_info(),
    "delete_job_configs": lambda made: made.config.delete_job_configs(),
    "get_job_configs_list(per_page, page, order, search_content)": lambda made: Estimator.get_job_configs_list(
        made.session, search_content="configname", **PAGE
    ),
    "get_job_configs_object_list()": lambda made: Estimator.get_job_configs_object_list(made.session, is_show=False),
    "get_built_in_algorithms": lambda made: Estimator.get_built_in_algorithms(made.session),
    "get_train_instance_types": lambda made: Estimator.get_train_instance_types(made.session),
    "get_framework_list": lambda made: Estimator.get_framework_list(made.session),
    "create_visualization_job": lambda made: VisualizationJob(made.session).create_visualization_job(
        job_name="vj", train_url="/bucket/train/", job_desc="d"
    ),
    "get_visualization_job_info": lambda made: made.viewer.get_visualization_job_info(),
    "stop_visualization_job": lambda made: made.viewer.stop_visualization_job(),
    "restart_visualization_job": lambda made: made.viewer.restart_visualization_job(),
    "delete_visualization_job": lambda made: made.viewer.delete_visualization_job(),
    "update_visualization_job": lambda made: made.viewer.update_visualization_job("x"),
    "get_visualization_job_list(per_page, page, order, search_content)": lambda made: (
        VisualizationJob.get_visualization_job_list(made.session, search_content="job", **PAGE)
    ),
}
# Ways to make these calls that were not observed.
OTHERS: dict[str, Callable[[Made], Any]] = {
    "get_job_log(start_byte, offset)": lambda made: made.job.get_job_log(made.log_file, start_byte=0, offset=100),
    "get_job_log(base_line, lines, order)": lambda made: made.job.get_job_log(
        made.log_file, base_line="0", lines=5, order="desc"
    ),
    "get_job_configs_list(config_type, sortBy)": lambda made: Estimator.get_job_configs_list(
        made.session, config_type="custom", sortBy="create_time"
    ),
    "get_visualization_job_object_list": lambda made: VisualizationJob.get_visualization_job_object_list(
        made.session, is_show=False
    ),
    "from_job_configs": lambda made: Estimator.from_job_configs(made.session, "my_job_config"),
    "iter_jobs": lambda made: list(Estimator.iter_jobs(made.session, status=[8, "COMPLETED"], workspace_id="0")),
}


@pytest.fixture(scope="module")
def called(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Made]]:
    """A call of the SDK, and its environment."""
    with in_process(tmp_path_factory.mktemp("state")) as environment:
        made = Made.of(environment, request.param)
        {**SENT, **OTHERS}[request.param](made)
        yield request.param, made


# --- the differences


def looked_up_side_by_side(requests: list[Sent]) -> list[Sent]:
    return sorted(requests[:-1]) + requests[-1:]  # in any order, all before the last


def without_undocumented_members(requests: list[Sent]) -> list[Sent]:
    for _, _, body in requests:
        for place in (body or {}, (body or {}).get("config", {})):
            for member in ("priority", "job_type", "autosearch_config"):
                place.pop(member, None)
    return requests


def with_pool_id(requests: list[Sent]) -> list[Sent]:
    for _, _, body in requests:
        config = (body or {}).get("config", {})
        if "poolId" in config:
            config["pool_id"] = config.pop("poolId")
    return requests


def without_list_after_deletion(requests: list[Sent]) -> list[Sent]:
    return requests[:1] if requests[0][0] == "DELETE" else requests


# How the note of each difference begins, and what the difference does to the recorded requests.
DIFFERENCES: dict[str, Callable[[list[Sent]], list[Sent]]] = {
    "Every create and update looks both lists up again, one after the other": looked_up_side_by_side,
    "priority, job_type and autosearch_config are sent although no page lists them": without_undocumented_members,
    'A dedicated pool travels as "poolId" here': with_pool_id,
    "delete_job_by_id is followed by a list request": without_list_after_deletion,
}


def test_every_difference_is_one_of_the_notes() -> None:
    for words in DIFFERENCES:
        assert [note for note in OBSERVED["notes"] if note.startswith(words)] != []


def sent(answers: list[requests.Response]) -> list[Sent]:
    """The requests that reached the service."""
    return [
        (str(reply.request.method), str(reply.request.path_url), json.loads(reply.request.body or b"null"))
        for reply in answers
    ]


@pytest.mark.parametrize("called", ROWS, indirect=True)
def test_this_sdk_sends_what_the_original_one_sends(called: tuple[str, Made]) -> None:
    call, made = called
    expected = [made.here(request) for request in ROWS[call]]
    for difference in DIFFERENCES.values():
        expected = difference(expected)

    assert as_text(looked_up_side_by_side(sent(made.environment.exchanges))) == as_text(expected)


def as_text(requests: list[Sent]) -> str:
    """JSON text, in which 1, "1" and true are three values."""
    return json.dumps(requests, sort_keys=True, indent=1)


# Recorded members of requests that no REST page lists.
ONLY_OBSERVED = {"enable_check", "nas_type", "nas_share_addr", "nas_mount_path"}


@pytest.mark.parametrize("called", [*SENT, *OTHERS], indirect=True)
def test_public_calls_send_and_get_what_is_documented(called: tuple[str, Made]) -> None:
    _, made = called

    assert made.environment.exchanges
    for (method, path, body), reply in zip(sent(made.environment.exchanges), made.environment.exchanges):
        operation = operation_of(method, path)
        query = dict(parse_qsl(urlsplit(path).query))
        undocumented = [fault for fault in request_faults(operation, query, body)
                        if fault.partition(":")[0].rpartition(".")[2] not in ONLY_OBSERVED]  # fmt: skip
        assert undocumented == []
        assert (reply.status_code, reply_faults(operation, reply.json())) == (200, [])


def test_every_operation_has_a_public_call() -> None:
    called = {operation_of(request["method"], request["path"]) for rows in ROWS.values() for request in rows}

    assert set(ROWS) == set(SENT)
    assert called | {"get_training_job_log_bytes"} == set(OPERATIONS)  # which get_job_log(start_byte, …) calls
