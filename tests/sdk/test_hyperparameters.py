"""Hyperparameters are sent as one list of texts, in whatever form they were passed."""

from __future__ import annotations

import logging
from argparse import Namespace
from collections import OrderedDict
from typing import Any

import pytest

from modelarts.errors import ArgumentError
from modelarts.session import Session
from tests.support.cloud import Cloud, cloud_estimator


def sent(cloud: Cloud, session: Session, hyperparameters: Any) -> Any:
    cloud.look_ups("specs", "engines")
    estimator = cloud_estimator(session, hyperparameters=hyperparameters)
    return estimator.payload("create_training_job_config", config_name="c")["parameter"]


@pytest.mark.parametrize("given", [None, {}, [], ()], ids=repr)
def test_without_hyperparameters_an_empty_list_is_sent(cloud: Cloud, session: Session, given: Any):
    assert sent(cloud, session, given) == []


def test_a_value_may_be_left_out(cloud: Cloud, session: Session):
    assert sent(cloud, session, [{"label": "flag"}]) == [{"label": "flag", "value": ""}]


@pytest.mark.parametrize("form", [dict, OrderedDict, list])
def test_the_order_is_kept(cloud: Cloud, session: Session, form: type):
    names = ["z", "a", "m", "b"]
    given = [{"label": name, "value": 1} for name in names] if form is list else form((name, 1) for name in names)

    assert [row["label"] for row in sent(cloud, session, given)] == names


BAD = [
    ([{"label": "lr", "value": 1}, {"label": "epochs"}, {"key": "lr", "value": 2}], "'lr': is there twice; keep one"),
    ([{"label": "lr", "value": 1}, ["lr", 2]], "['lr', 2] is not {\"label\": …, \"value\": …}"),
    ([{"value": 1}], "is not {\"label\": …, \"value\": …}"),
    ("lr=1", "neither a dict nor a list"),
    (5, "neither a dict nor a list"),
    ({"": 1}, "every name must be a non-empty text"),
    ({" ": 1}, "every name must be a non-empty text"),
    ({1: 1}, "every name must be a non-empty text"),
    ([{"label": ["lr"], "value": 1}], "every name must be a non-empty text"),
    ({"--lr": 1}, "without a dash at its beginning, '=', blanks and control characters; write 'lr'"),
    ({"-lr": 1}, "write 'lr'"), ({" lr ": 1}, "write 'lr'"), ({"learning rate": 1}, "write 'learning_rate'"),
    ({"--lr=0.1": None}, "write 'lr', and '0.1' as its value"), ({"a\0b": 1}, "write 'a_b'"), ({"--": 1}, "characters"),
    ({"\udc80": 1}, "UTF-8 can encode"),
    ([{"label": "lr", "val": 1}], "{'label': 'lr', 'val': 1} has no 'value': write 'value' instead of 'val'"),
    ([{"name": "lr", "value": 1}], "has no 'label': write 'label' instead of 'name'"),
    ([{"lr": 1, "epochs": 2}], 'pass {"label": \'lr\', "value": …} or one dict {\'lr\': …}'),
    ([("lr", 1)], "or one dict {'lr': …}"), (["lr", 1], "or one dict {'lr': …}"),
    ("--lr 1", 'pass a dict such as {"lr": 0.1}'),
    (Namespace(lr=1), "pass vars(…) of it"),
    (iter([{"label": "lr", "value": 1}]), "can be read only once; pass a list or a dict"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "rule"), BAD, ids=[ascii(row[0])[:40].partition(" at 0x")[0] for row in BAD])
def test_a_wrong_hyperparameter_is_refused(cloud: Cloud, session: Session, given: Any, rule: str):
    with pytest.raises(ArgumentError) as caught:
        sent(cloud, session, given)

    (fault,) = caught.value.faults
    assert fault.argument == "hyperparameters"
    assert rule in str(fault)


def test_a_built_in_algorithm_takes_hyperparameters_and_says_what_it_leaves_out(
    cloud: Cloud, session: Session, caplog: pytest.LogCaptureFixture
):
    cloud.look_ups("specs", "models")
    estimator = cloud_estimator(
        session, model_name="resnet_v1_50", hyperparameters={"lr": 1}, user_image_url="1.2.3.4/a:b"
    )

    with caplog.at_level(logging.WARNING, "modelarts"):
        body = estimator.payload("create_training_job_config", config_name="c")

    assert body["model_id"] == 5
    assert body["parameter"] == [{"label": "lr", "value": "1"}]
    assert not {"app_url", "boot_file_url", "engine_id", "user_image_url"} & {*body}
    (record,) = caplog.records
    assert "code_dir, boot_file, framework_type, framework_version, user_image_url not sent" in record.getMessage()


OPERATIONS = {
    "fit": {"inputs": "/bucket/data/"}, "create_job_configs": {"config_name": "c"}, "create_job_config": {},
    "create_job_version": {"job_id": 1, "pre_version_id": 2, "inputs": "/bucket/data/"},
    "update_job_configs": {"config_name": "c"},
}  # fmt: skip


@pytest.mark.parametrize("call", OPERATIONS)
def test_all_calls_follow_the_rule(cloud: Cloud, session: Session, call: str):
    cloud.look_ups("specs", "engines")
    estimator = cloud_estimator(session, hyperparameters={"--lr": 0.1, "seen": object(), "long": "x" * 131_072})

    with pytest.raises(ArgumentError) as caught:
        getattr(estimator, call)(**OPERATIONS[call])

    assert [problem.value for problem in caught.value.problems] == ["--lr", {"seen": object}, {"long": str}]


# --- lengths


def test_a_value_that_no_process_can_get_is_refused(cloud: Cloud, session: Session):
    with pytest.raises(ArgumentError) as caught:
        sent(cloud, session, {"text": "x" * 200_000, "学": "学" * 43_689, "fits": "x" * (131_071 - len("--fits="))})

    assert [problem.value for problem in caught.value.problems] == [{"text": str}, {"学": str}]
    rule = "--text=… has 200007 bytes, and an argument at most 131071; save it to a file that the script reads"
    assert rule in str(caught.value)


def test_too_long_a_command_line_is_refused_with_its_longest_values(cloud: Cloud, session: Session):
    given = {**{f"p{number}": "x" * 100_000 for number in range(16)}, "longest": "x" * 120_000}

    with pytest.raises(ArgumentError) as caught:
        sent(cloud, session, given)

    (problem,) = caught.value.problems
    told = "they take 1720249 bytes of the command line, and may take 1572864; the longest are longest, p10"
    assert told in str(problem)


def test_too_long_a_command_of_an_image_is_refused(cloud: Cloud, session: Session):
    cloud.look_ups("specs")
    image = {"user_image_url": "1.2.3.4/a:b", "user_command": "true " + "x" * 131_072}

    with pytest.raises(ArgumentError) as caught:
        cloud_estimator(session, **image).payload("create_training_job_config", config_name="c")

    assert [problem.argument for problem in caught.value.problems] == ["user_command"]
    assert "at most 131071 bytes; this has 131077" in str(caught.value)


# --- names of the engine's own arguments

PASSED = [
    ({}, ["data_url", "init_method", "train_url"]),
    ({"train_instance_count": 2}, ["data_url", "init_method", "rank", "train_url", "world_size"]),
    ({"framework_type": "tensor-flow", "framework_version": "TF-1.8.0-python2.7"},
     ["data_url", "num_gpus", "train_url"]),
    ({"user_image_url": "1.2.3.4/a:b", "user_command": "true"}, []),
]


@pytest.mark.parametrize(("changes", "names"), PASSED, ids=["one node", "nodes", "TensorFlow", "image"])
def test_names_that_the_engine_passes_are_told_and_sent(
    cloud: Cloud, session: Session, changes: dict[str, Any], names: list[str], caplog: pytest.LogCaptureFixture
):
    cloud.look_ups("specs", *([] if "user_command" in changes else ["engines"]))
    given = dict.fromkeys(["data_url", "init_method", "lr", "num_gpus", "rank", "train_url", "world_size"], "x")

    with caplog.at_level(logging.WARNING, "modelarts"):
        body = cloud_estimator(session, hyperparameters=given, **changes).payload(inputs="/bucket/data/")

    assert [row["label"] for row in body["config"]["parameter"]] == [*given]
    told = [record.getMessage() for record in caplog.records]
    assert [line.split("'")[1] for line in told] == names
    assert all(f"the script gets --{name} twice" in line for name, line in zip(names, told))
