"""Whatever a reply consists of, a call returns it or raises one of the documented errors.

Examples are the same in every run. To look further: EXAMPLES=3000 (in percent), and without `derandomize`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import PreparedRequest

from modelarts._jobs import follow, reconnect
from modelarts._wire.v1.routes import BY_OPERATION
from modelarts.errors import ModelArtsError
from modelarts.estimator import Estimator
from modelarts.job import TrainingJob
from modelarts.session import Session
from modelarts.visualization import VisualizationJob
from tests.support.cloud import LISTS, MADE, Cloud, cloud_estimator, contract
from tests.support.hypothesis_examples import part_of
from tests.support.json_paths import places_in, replaced

STABLE = settings(derandomize=True, database=None, deadline=None, max_examples=part_of(40))
SAMPLES = {row["id"]: [sample["body"] for sample in row["samples"]["responses_success"]]
           for row in contract("rest_v1.json")["operations"]}  # fmt: skip
SAMPLES.update(
    get_training_job_log_bytes=[{"is_success": True, "log": "a\n", "end_byte": 2, "log_byte_count": 2}],
    list_pools=[{"is_success": True, "pools": []}],
    create_training_job=[MADE],
)
USUAL = {
    **{operation: {"is_success": True, **bodies[-1]} for operation, bodies in SAMPLES.items()},
    **{operation: {"is_success": True, kind: LISTS[kind][1]} for operation, kind in
       (("list_job_resource_specs", "specs"), ("list_job_engines", "engines"), ("list_built_in_algorithms", "models"))},
    "list_training_jobs": {"is_success": True, "jobs": [{**MADE, "create_time": 4_102_444_800_000}]},
    "get_training_job_version": {"is_success": True, "status": 11},
    "get_training_job_log": {"is_success": True, "content": "a\n", "lines": 1, "start_line": "0", "end_line": "2"},
    "get_visualization_job": {"is_success": True, "status": 8},
}  # fmt: skip
PATTERNS = [(route.method, re.compile(re.sub(r"{\w+}", "[^/]+", route.path)), operation)
            for operation, route in BY_OPERATION.items()]  # fmt: skip


def version(session: Session) -> TrainingJob:
    return TrainingJob(session, 10, 20, config_name="c")


def tensorboard(session: Session) -> VisualizationJob:
    return VisualizationJob(session, 10)


def fit(session: Session, **arguments: Any) -> Any:
    return cloud_estimator(session).fit(inputs="/bucket/data/", **arguments)


# What reads the reply of each operation.
ACTS: dict[str, list[Callable[[Session], Any]]] = {
    "create_training_job_config": [lambda s: cloud_estimator(s).create_job_configs("c")],
    "list_training_job_configs": [
        Estimator.get_job_configs_list, Estimator.get_job_configs_object_list,
        lambda s: list(Estimator.iter_job_configs(s)),
    ],
    "get_training_job_config": [
        lambda s: version(s).get_job_configs_info(),
        lambda s: Estimator.from_job_configs(s, "c").payload(),
    ],
    "update_training_job_config": [lambda s: cloud_estimator(s).update_job_configs("c")],
    "delete_training_job_config": [lambda s: version(s).delete_job_configs()],
    "create_training_job": [lambda s: fit(s, job_name="digits"), fit, lambda s: fit(s, wait=True)],
    "list_training_jobs": [Estimator.get_job_list, lambda s: list(Estimator.iter_jobs(s))],
    "update_training_job_description": [lambda s: version(s).update_job_description("d")],
    "delete_training_job": [lambda s: version(s).delete_job()],
    "create_training_job_version": [lambda s: cloud_estimator(s).create_job_version(10, 20, inputs="/bucket/data/")],
    "list_training_job_versions": [
        lambda s: version(s).get_job_version_info(), lambda s: version(s).get_job_version_object_list(),
    ],
    "get_training_job_version": [
        lambda s: version(s).get_job_info(), lambda s: version(s).get_job_state(), lambda s: version(s).wait(1),
    ],
    "stop_training_job_version": [lambda s: version(s).stop_job_version()],
    "delete_training_job_version": [lambda s: version(s).delete_job_version()],
    "list_training_job_log_files": [lambda s: version(s).get_job_log_file_list(), lambda s: version(s).wait(1)],
    "get_training_job_log": [lambda s: version(s).get_job_log("a"), lambda s: version(s).wait(1)],
    "get_training_job_log_bytes": [lambda s: version(s).get_job_log("a", start_byte=0)],
    "list_built_in_algorithms": [
        Estimator.get_built_in_algorithms,
        lambda s: cloud_estimator(s, model_name="resnet_v1_50", code_dir=None, boot_file=None, framework_type=None,
                                  framework_version=None).payload(),
    ],
    "create_visualization_job": [lambda s: tensorboard(s).create_visualization_job("/bucket/output/")],
    "list_visualization_jobs": [
        VisualizationJob.get_visualization_job_list, VisualizationJob.get_visualization_job_object_list,
        lambda s: list(VisualizationJob.iter_visualization_jobs(s)),
    ],
    "get_visualization_job": [
        lambda s: tensorboard(s).get_visualization_job_info(),
        lambda s: tensorboard(s).create_visualization_job("/bucket/output/", wait=True),
    ],
    "update_visualization_job_description": [lambda s: tensorboard(s).update_visualization_job("d")],
    "delete_visualization_job": [lambda s: tensorboard(s).delete_visualization_job()],
    "stop_visualization_job": [lambda s: tensorboard(s).stop_visualization_job()],
    "restart_visualization_job": [lambda s: tensorboard(s).restart_visualization_job()],
    "list_job_resource_specs": [
        Estimator.get_train_instance_types, Estimator.get_spec_list, lambda s: cloud_estimator(s).payload(),
    ],
    "list_pools": [Estimator.get_job_pool_list],
    "list_job_engines": [
        Estimator.get_framework_list, Estimator.get_engine_list, lambda s: cloud_estimator(s).payload(),
    ],
}  # fmt: skip

DEEP = "nested"  # replaced by lists within lists, deeper than Python calls functions
ODD: st.SearchStrategy[Any] = st.sampled_from([
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, float("inf"), float("nan"), "", " ", "x", "7", "-1", "\0",
    "\ud800", "a\nb", "[", "[1]", "{}", "null", "true", "0" * 5000, DEEP, [], [1], [None], [[]], [{}], {}, {"a": 1},
    [{"label": "a"}], [{"label": [1]}], {"label": [1]}, {"code": 1, "message": []},
])  # fmt: skip
FAILURES = ("is_success", "error_code", "error_msg", "error_message", "error")


@st.composite
def replies(draw: st.DrawFn, operation: str) -> tuple[int, bytes]:
    """A documented reply with one to three odd members or without some of them, and its HTTP status."""
    failure = draw(st.dictionaries(st.sampled_from(FAILURES), ODD, max_size=2))
    body = {"is_success": True, **draw(st.sampled_from(SAMPLES[operation])), **failure}
    for _ in range(draw(st.integers(1, 3))):
        body = replaced(body, draw(st.sampled_from([*places_in(body)])), draw(ODD))
    missing = draw(st.sets(st.sampled_from([*body]), max_size=2))
    body = {"is_success": draw(st.booleans()), **{name: body[name] for name in body if name not in missing}}
    text = json.dumps(body).replace(f'"{DEEP}"', f"{'[' * 900}{']' * 900}")
    return draw(st.sampled_from([200, 200, 200, 201, 400, 404, 409])), text.encode()


class OddOnce:
    """A cloud that gives one odd reply to one operation, and documented ones to all others."""

    def __init__(self, cloud: Cloud) -> None:
        self.operation, self.reply = "", (200, b"")
        for method in ("GET", "POST", "PUT", "DELETE"):
            cloud.faked.assert_all_requests_are_fired = False
            cloud.faked.add_callback(method, re.compile(".*"), self.answer)

    def answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        path = urlsplit(request.url or "").path
        operation = next(name for method, pattern, name in PATTERNS
                         if method == request.method and pattern.fullmatch(path))  # fmt: skip
        if operation == self.operation:
            (status, body), self.operation = self.reply, ""
            return status, {}, body
        return 200, {}, json.dumps(USUAL[operation]).encode()


def test_the_table_has_every_operation():
    assert {*ACTS} == {*BY_OPERATION}


@pytest.mark.parametrize("operation", ACTS)
def test_odd_replies_end_in_documented_errors(
    cloud: Cloud, session: Session, operation: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(follow, "REST", 0.0)
    monkeypatch.setattr(reconnect, "RETRY", 0.0)
    odd = OddOnce(cloud)

    @STABLE
    @given(replies(operation), st.sampled_from(ACTS[operation]))
    def check(reply: tuple[int, bytes], act: Callable[[Session], Any]) -> None:
        odd.operation, odd.reply = operation, reply
        session.catalog._cached.clear()
        cloud.faked.calls.reset()
        try:
            found = act(session)
        except ModelArtsError as error:
            assert str(error)
        else:
            assert repr(found)

    check()
