"""Hyperparameters are sent as one list of texts, in whatever form they were passed."""

from __future__ import annotations

import logging
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from modelarts.errors import ArgumentError
from modelarts.session import Session
from tests.support.cloud import Cloud, cloud_estimator


def sent(cloud: Cloud, session: Session, hyperparameters: Any) -> Any:
    cloud.look_ups("specs", "engines")
    estimator = cloud_estimator(session, hyperparameters=hyperparameters)
    return estimator.payload("create_training_job_config", config_name="c")["parameter"]


VALUES = [
    ("adam", "adam"),
    ("", ""),
    (" two words ", " two words "),
    ("学习率", "学习率"),
    (10, "10"),
    (-1, "-1"),
    (0.001, "0.001"),
    (1e-05, "1e-05"),
    (1.0, "1.0"),
    (Decimal("0.10"), "0.10"),
    (True, "true"),
    (False, "false"),
    (None, ""),
    (Path("a/b"), "a/b"),
    ([1, "a", True, None], '[1, "a", true, null]'),
    ((1, 2), "[1, 2]"),
    ({"层": 2}, '{"层": 2}'),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[repr(row[0]) for row in VALUES])
@pytest.mark.parametrize("form", ["dict", "label", "key"])
def test_values_are_converted_to_text_by_one_rule(cloud: Cloud, session: Session, form: str, value: Any, text: str):
    given = {"lr": value} if form == "dict" else [{form: "lr", "value": value}]

    assert sent(cloud, session, given) == [{"label": "lr", "value": text}]


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
    ({"layers": [object]}, "cannot be written as JSON"),
    ({"paths": {"a": Path("b")}}, "cannot be written as JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "rule"), BAD, ids=[str(row[0]) for row in BAD])
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
