"""`Estimator(environment_variables=…)`: an argument of ours, which only the local service takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from modelarts.errors import ArgumentError
from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support.cloud import Cloud, cloud_estimator
from tests.support.environment import BODY, Environment, in_process

SET_BY_PLATFORM = "the platform sets this variable itself"
LOCAL = [
    ({"PATH": "/secret"}, "'PATH'", SET_BY_PLATFORM),
    ({"DLS_JOB_ID": "secret"}, "'DLS_JOB_ID'", SET_BY_PLATFORM),
    ({"MODELARTS_HOME": "/secret"}, "'MODELARTS_HOME'", SET_BY_PLATFORM),
    ({"a=b": "secret"}, "'a=b'", "letters, digits and underscores"),
    ({"1A": "secret"}, "'1A'", "not beginning with a digit"),
    ({"": "secret"}, "''", "letters, digits and underscores"),
    ({1: "secret"}, "1", "letters, digits and underscores"),
    ({"A": None}, "'A'", "a text or a number"),
    ({"A": ["secret"]}, "'A'", "a text or a number"),
    ({"A": "secret\0"}, "'A'", "no NUL character"),
    ({"A": "secret" * 30000}, "'A'", "at most 131070 bytes together; these have 180001"),
    ({"A": "secret\ud800"}, "'A'", "without unpaired surrogates"),
    ({f"A{i}": "secret" * 20000 for i in range(4)}, "'A3'", "at most 393216 bytes; these have 480016"),
    ([("A", "secret")], "list", "a dict of names and values"),
    ("A=secret", "str", "a dict of names and values"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with in_process(tmp_path_factory.mktemp("environment")) as made:
        yield made


@pytest.fixture
def local_session(environment: Environment) -> Session:
    return environment.session


@pytest.mark.parametrize(("given", "shown", "rule"), LOCAL, ids=range(len(LOCAL)))
def test_what_no_variable_can_be_is_refused_without_showing_its_value(
    local_session: Session, given: Any, shown: str, rule: str
):
    estimator = cloud_estimator(local_session, environment_variables=given)

    with pytest.raises(ArgumentError) as caught:
        estimator.fit(inputs="/bucket/data/")

    message = str(caught.value)
    assert "environment_variables" in message and shown in message and rule in message
    assert "secret" not in message


def test_a_cloud_session_refuses_them_with_the_reason_before_anything_is_sent(cloud: Cloud, session: Session):
    estimator = cloud_estimator(session, environment_variables={"TOKEN": "secret"})

    with pytest.raises(ArgumentError, match="the v1 API of the cloud has no environment variables") as caught:
        estimator.fit(inputs="/bucket/data/")

    assert "TOKEN" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert cloud.calls == []


@pytest.mark.parametrize("given", [None, {}])
def test_without_them_the_body_has_no_such_member(cloud: Cloud, session: Session, given: Any):
    cloud.look_ups("specs", "engines")

    body = cloud_estimator(session, environment_variables=given).payload(inputs="/bucket/data/")

    assert "environment_variables" not in body["config"]


def test_they_are_stored_and_returned_as_texts(local_session: Session):
    given = {"OMP_NUM_THREADS": 2, "MODE": "快", "DEBUG": True}
    estimator = cloud_estimator(local_session, environment_variables=given)
    texts = {"OMP_NUM_THREADS": "2", "MODE": "快", "DEBUG": "true"}

    job = estimator.fit(inputs="/bucket/data/")
    estimator.create_job_configs(config_name="with-variables")
    again = Estimator.from_job_configs(local_session, "with-variables")

    assert job.get_job_info()["environment_variables"] == texts
    assert again.environment_variables == texts


def test_replies_to_those_who_use_none_have_only_documented_members(local_session: Session):
    job = cloud_estimator(local_session).fit(inputs="/bucket/data/")

    assert "environment_variables" not in job.get_job_info()


BAD_MEMBERS = [
    ({"PATH": "/secret"}, SET_BY_PLATFORM),
    ({"A": 1}, "must be an object whose values are texts"),
    ([], "must be an object whose values are texts"),
    ({"a b": "secret"}, "letters, digits and underscores"),
    ({f"A{i}": "secret" * 20000 for i in range(4)}, "at most 393216 bytes"),
]


@pytest.mark.parametrize(("given", "rule"), BAD_MEMBERS, ids=range(len(BAD_MEMBERS)))
def test_the_service_checks_them_itself(environment: Environment, given: Any, rule: str):
    body = {"job_name": environment.name(), "config": {**BODY, "environment_variables": given}}

    reply = environment.call("create_training_job", body=body)

    assert reply.status == 400
    assert rule in reply.members["error_msg"]
    assert "secret" not in str(reply.members)
