"""Lists are looked up at the same time, cached, and requested again before a name is reported as unknown."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from modelarts._api.catalog import Catalog
from modelarts.errors import ApiError, ArgumentError, AuthError
from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support.cloud import BASE, CPU, ENGINES, LISTS, MADE, MODELS, SPECS, Cloud, cloud_estimator, cloud_session

CONFIG = {"operation": "create_training_job_config", "config_name": "c"}
FIT = {"inputs": "/bucket/data/", "job_name": "j"}
GET_SPECS, GET_ENGINES, GET_MODELS = (f"GET {LISTS[kind][0]}" for kind in ("specs", "engines", "models"))
NEW_SPEC = {"spec_id": 9, "spec_code": "modelarts.vm.gpu.new", "max_num": 1}


def test_a_first_fit_is_two_lookups_and_one_request(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", MADE)

    cloud_estimator(session).fit(**FIT)

    assert sorted(cloud.calls[:2]) == [GET_ENGINES, GET_SPECS]
    assert cloud.calls[2:] == ["POST /training-jobs"]


def test_a_later_fit_is_exactly_one_request(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", MADE)
    cloud_estimator(session).fit(**FIT)
    before = len(cloud.calls)

    cloud_estimator(session).fit(**FIT)

    assert cloud.calls[before:] == ["POST /training-jobs"]


@pytest.mark.parametrize("kind", ["engines", "models"])
def test_both_look_ups_run_at_the_same_time(cloud: Cloud, session: Session, kind: str):
    both = threading.Barrier(2, timeout=10)  # broken, and the look-up with it, when one waits for the other's end

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        both.wait()
        name = next(name for name, (path, _) in LISTS.items() if urlsplit(request.url).path.endswith(path))
        return 200, {}, json.dumps({name: LISTS[name][1]})

    for name in ("specs", kind):
        cloud.faked.add_callback("GET", BASE + LISTS[name][0], answer)
    changes = {"model_name": "resnet_v1_50"} if kind == "models" else {}

    body = cloud_estimator(session, **changes).payload(**CONFIG)

    assert body["spec_id"] == 2
    assert body.get("engine_id", body.get("model_id")) in (12, 5)


CHOICES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, [GET_ENGINES, GET_SPECS]),
    ({"model_name": "resnet_v1_50"}, [GET_MODELS, GET_SPECS]),
    ({"user_image_url": "1.2.3.4/a:b", "user_command": "bash x"}, [GET_SPECS]),
    ({"train_instance_type": None, "pool_id": "p"}, [GET_ENGINES]),
]


@pytest.mark.parametrize(("changes", "asked"), CHOICES, ids=[str(row[0]) for row in CHOICES])
def test_only_the_lists_that_a_call_needs_are_requested(
    cloud: Cloud, session: Session, changes: dict[str, Any], asked: list[str]
):
    cloud.look_ups(*(kind for kind, (path, _) in LISTS.items() if f"GET {path}" in asked))

    cloud_estimator(session, **changes).payload(**CONFIG)

    assert sorted(cloud.calls) == asked


def test_engines_are_those_for_training(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")

    cloud_estimator(session).payload(**CONFIG)

    (url,) = (request.url for request in cloud.requests if "ai-engines" in str(request.url))
    assert urlsplit(str(url)).query == "job_type=train"


def test_each_session_looks_up_for_itself(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")

    cloud_estimator(session).payload(**CONFIG)
    with cloud_session() as other:
        cloud_estimator(other).payload(**CONFIG)

    assert sorted(cloud.calls) == [GET_ENGINES] * 2 + [GET_SPECS] * 2


def test_a_name_missing_from_a_cached_list_is_looked_up_again(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.look_ups(specs=[*SPECS, NEW_SPEC])
    cloud_estimator(session).payload(**CONFIG)
    before = len(cloud.calls)

    body = cloud_estimator(session, train_instance_type="modelarts.vm.gpu.new").payload(**CONFIG)

    assert body["spec_id"] == 9
    assert cloud.calls[before:] == [GET_SPECS]


MISSES = [
    ({"train_instance_type": "zzz"}, "no such flavor", GET_SPECS),
    ({"framework_type": "zzz"}, "no such framework", GET_ENGINES),
    ({"model_name": "zzz"}, "no such algorithm", GET_MODELS),
]


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(("changes", "message", "missed"), MISSES)
def test_an_unknown_name_costs_another_request_only_if_its_list_was_cached(
    cloud: Cloud, session: Session, changes: dict[str, Any], message: str, missed: str, warm: bool
):
    other = "models" if "model_name" in changes else "engines"
    cloud.look_ups("specs", other)
    if warm:
        session.catalog.load(["specs", other])

    with pytest.raises(ArgumentError, match=message):
        cloud_estimator(session, **changes).payload(**CONFIG)

    assert cloud.calls.count(missed) == 1 + warm
    assert len(cloud.calls) == 2 + warm


def test_lists_are_requested_again_after_their_lifetime(cloud: Cloud, session: Session):
    cloud.look_ups("engines", specs=SPECS)
    cloud.look_ups(specs=[NEW_SPEC])
    now = [1000.0]
    catalog = Catalog(session.client, lifetime=600, clock=lambda: now[0])

    catalog.load(["specs", "engines"])
    now[0] += 599
    kept = catalog.rows("specs")
    now[0] += 1
    renewed = catalog.rows("specs")

    assert [row.spec_id for row in kept] == [2, 4]
    assert [row.spec_id for row in renewed] == [9]
    assert sorted(cloud.calls) == [GET_ENGINES, GET_SPECS, GET_SPECS]


def test_the_lifetime_is_a_setting(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_CATALOG_LIFETIME", "0.000001")
    cloud.look_ups("specs", "engines")

    with cloud_session() as session:
        cloud_estimator(session).payload(**CONFIG)
        cloud_estimator(session).payload(**CONFIG)

    assert cloud.calls.count(GET_ENGINES) >= 2


def test_a_flavor_that_is_sold_out_is_sent_with_a_warning(
    cloud: Cloud, session: Session, caplog: pytest.LogCaptureFixture
):
    cloud.look_ups("engines", specs=[{**SPECS[0], "no_resource": True}])

    with caplog.at_level(logging.WARNING, "modelarts"):
        body = cloud_estimator(session).payload(**CONFIG)

    assert body["spec_id"] == 2
    (record,) = caplog.records
    assert f"flavor {CPU} is sold out" in record.getMessage()


def test_a_flavor_with_room_is_sent_without_a_warning(
    cloud: Cloud, session: Session, caplog: pytest.LogCaptureFixture
):
    cloud.look_ups("specs", "engines")

    with caplog.at_level(logging.WARNING, "modelarts"):
        cloud_estimator(session).payload(**CONFIG)

    assert caplog.records == []


@pytest.mark.parametrize(("status", "error"), [(400, ApiError), (403, AuthError)])
def test_a_refused_lookup_raises_and_nothing_is_sent(
    cloud: Cloud, session: Session, status: int, error: type[ApiError]
):
    refusal = {"is_success": False, "error_code": "ModelArts.0108", "error_message": "not allowed"}
    cloud.answer("GET", "/job/resource-specs", refusal, status)
    estimator = cloud_estimator(session, user_image_url="1.2.3.4/a:b", user_command="bash x")

    with pytest.raises(error, match=r"ModelArts\.0108: not allowed"):
        estimator.fit(**FIT)

    assert cloud.calls == [GET_SPECS]


def test_flavors_engines_and_algorithms_can_be_listed(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines", "models")

    assert Estimator.get_train_instance_types(modelarts_session=session) == [row["spec_code"] for row in SPECS]
    assert Estimator.get_framework_list(modelarts_session=session) == [
        {"framework_type": row["engine_name"], "framework_version": row["engine_version"]} for row in ENGINES
    ]
    names = [model.model_name for model in Estimator.get_built_in_algorithms(session).models]
    assert names == [row["model_name"] for row in MODELS]


def test_flavors_are_listed_as_they_are_now(cloud: Cloud, session: Session):
    cloud.look_ups("engines", specs=SPECS)
    cloud.look_ups(specs=[NEW_SPEC])
    cloud_estimator(session).payload(**CONFIG)

    assert Estimator.get_train_instance_types(session) == ["modelarts.vm.gpu.new"]
