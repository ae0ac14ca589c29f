"""Problems with the arguments of calls on existing jobs, with sessions and with attributes of estimators."""

from __future__ import annotations

import copy
from typing import Any, Callable

import numpy
import pytest

from modelarts.errors import ArgumentError
from modelarts.estimator import Estimator, TrainingJob, VisualizationJob
from modelarts.session import Session
from tests.support.cloud import Cloud, cloud_estimator

Act = Callable[[Session], Any]
ID = "a whole number from 0, or a text of its digits"
DAY = '{"type": "stop", "time_unit": "HOURS", "duration": 0 to 24}, or None'


def job(session: Session) -> TrainingJob:
    return TrainingJob(session, job_id=10, version_id=20)


def log(**arguments: Any) -> Act:
    return lambda session: job(session).get_job_log(**{"log_file": "job-j.0", **arguments})


def viewer(**arguments: Any) -> Act:
    return lambda session: VisualizationJob(session).create_visualization_job("/bucket/output/", **arguments)


# The call, its name in the error, and the problems.
SEVERAL = numpy.array([True, False])

MISTAKES: list[tuple[Act, str, dict[str, str]]] = [
    (lambda s: Estimator(s, job_id="a", version_id="b").get_job_info(), "get_job_info",
     {"job_id": ID, "version_id": ID}),
    (lambda s: Estimator(s, job_id=-1).delete_job(), "delete_job", {"job_id": ID}),
    (lambda s: Estimator(s, job_id=1.5).get_job_version_info(), "get_job_version_info", {"job_id": ID}),
    (lambda s: Estimator(s, job_id=True, version_id=2).stop_job_version(), "stop_job_version", {"job_id": ID}),
    (lambda s: Estimator(s, job_id=1).wait(), "wait",
     {"version_id": "required: pass version_id=… to Estimator, or call fit first"}),
    (lambda s: Estimator.delete_job_by_id(s, "a"), "delete_job_by_id", {"job_id": ID}),
    (lambda s: Estimator.delete_job_by_id(s, None), "delete_job_by_id", {"job_id": "required: the job to delete"}),
    (lambda s: Estimator(s, job_id="a").update_job_description("d" * 257), "update_job_description",
     {"job_id": ID, "description": "at most 256 characters; this has 257"}),
    (log(lines="x"), "get_job_log", {"lines": "a whole number from 0 to 500"}),
    (log(lines=501, order="up"), "get_job_log", {"lines": "from 0 to 500", "order": "one of desc, asc"}),
    (log(lines=True), "get_job_log", {"lines": "a whole number from 0 to 500"}),
    (log(start_byte="x", offset=2049), "get_job_log", {"start_byte": "from -1", "offset": "from -2048 to 2048"}),
    (log(log_file=""), "get_job_log", {"log_file": "a name that get_job_log_file_list returned"}),
    (lambda s: TrainingJob(s).get_job_log("", lines=-1), "get_job_log",
     {"job_id": "required: ", "version_id": "required: ", "log_file": "a name", "lines": "from 0"}),
    (viewer(schedule=5), "create_visualization_job", {"schedule": DAY}),
    (viewer(schedule={"type": "start"}, job_name="a b"), "create_visualization_job",
     {"job_name": "1 to 20 letters", "schedule": DAY}),
    (viewer(schedule={"type": "stop", "time_unit": "HOURS", "duration": 25}), "create_visualization_job",
     {"schedule": DAY}),
    (viewer(schedule=[{"type": "stop", "time_unit": "HOURS", "duration": 1}] * 2), "create_visualization_job",
     {"schedule": DAY}),
    (viewer(flavor="big", job_type="board"), "create_visualization_job",
     {"flavor": '{"code": …}', "job_type": "one of tensorboard, mindinsight"}),
    (lambda s: VisualizationJob(s, "a").update_visualization_job(5), "update_visualization_job",
     {"visualization_id": ID, "job_desc": "a text of at most 256"}),
    (lambda s: cloud_estimator(s).fit(inputs="/bucket/data/", wait=SEVERAL), "fit", {"wait": "True or False"}),
    (lambda s: job(s).wait(show=SEVERAL), "wait", {"show": "True or False"}),
    (lambda s: VisualizationJob(s).create_visualization_job("/b/", wait=SEVERAL), "create_visualization_job",
     {"wait": "True or False"}),
    (lambda s: VisualizationJob(s, 10**5000).stop_visualization_job(), "stop_visualization_job",
     {"visualization_id": ID}),
    (lambda s: VisualizationJob(s).stop_visualization_job(), "stop_visualization_job",
     {"visualization_id": "required: pass visualization_id=… to VisualizationJob, or call create_visualization_job"}),
    *[
        (lambda s, timeout=timeout: job(s).wait(timeout), "wait", {"timeout": "a number of seconds from 0, or None"})
        for timeout in ("10", True, -1, float("nan"), 10**400, [5])
    ],
]  # fmt: skip


@pytest.mark.parametrize(("act", "call", "faults"), MISTAKES, ids=[f"{r[1]}-{i}" for i, r in enumerate(MISTAKES)])
def test_all_problems_are_reported_before_anything_is_sent(
    cloud: Cloud, session: Session, act: Act, call: str, faults: dict[str, str]
):
    with pytest.raises(ArgumentError) as caught:
        act(session)

    assert str(caught.value).startswith(f"{call}: nothing was sent")
    assert {fault.argument for fault in caught.value.faults} == {*faults}
    assert all(faults[fault.argument] in fault.rule for fault in caught.value.faults)
    assert cloud.requests == []


def test_the_id_of_a_job_is_reported_with_the_other_problems_of_a_new_version(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")

    with pytest.raises(ArgumentError) as caught:
        cloud_estimator(session).create_job_version(job_id="slow1", pre_version_id="x", inputs="/bucket/data/")

    assert [fault.argument for fault in caught.value.faults] == ["job_id", "pre_version_id"]


@pytest.mark.parametrize("job_id", [10, "10", numpy.int64(10)])
def test_ids_may_be_numbers_or_texts_of_digits(cloud: Cloud, session: Session, job_id: Any):
    cloud.answer("GET", "/training-jobs/10/versions/20", {"is_success": True, "job_id": 10})

    assert Estimator(session, job_id=job_id, version_id=20).get_job_info().job_id == 10


@pytest.mark.parametrize("schedule", [
    {"type": "stop", "time_unit": "HOURS", "duration": 24}, {"type": "STOP", "timeUnit": "hours", "duration": "0"},
])  # fmt: skip
@pytest.mark.parametrize("as_sent", [lambda schedule: schedule, lambda schedule: [schedule]])
def test_a_schedule_is_sent_as_a_list_of_one(cloud: Cloud, session: Session, schedule: Any, as_sent: Any):
    cloud.answer("POST", "/visualization-jobs", {"is_success": True, "job_id": 1, "job_name": "v", "status": 1})

    viewer(schedule=as_sent(schedule), job_type="TensorBoard")(session)

    assert cloud.sent[0]["schedule"] == [schedule]


# --- sessions

ON_CLASS = [
    Estimator.get_job_list, Estimator.iter_jobs, Estimator.get_job_configs_list, Estimator.get_job_configs_object_list,
    Estimator.iter_job_configs, Estimator.get_train_instance_types, Estimator.get_framework_list,
    Estimator.get_built_in_algorithms, VisualizationJob.get_visualization_job_list,
    VisualizationJob.get_visualization_job_object_list, VisualizationJob.iter_visualization_jobs,
]  # fmt: skip
NO_SESSIONS = [("x", "<class 'str'>"), (None, "None"), (Session, "<class 'modelarts.session.Session'>"),
               ({"secret_key": "TELL NOBODY"}, "<class 'dict'>")]  # fmt: skip


@pytest.mark.parametrize(("value", "shown"), NO_SESSIONS, ids=[row[1] for row in NO_SESSIONS])
@pytest.mark.parametrize("call", [
    Estimator, TrainingJob, VisualizationJob, *ON_CLASS, lambda value: Estimator.delete_job_by_id(value, 1),
    lambda value: Estimator.from_job_configs(value, "c"),
])  # fmt: skip
def test_a_value_that_is_no_session_is_refused_and_not_shown(call: Callable[[Any], Any], value: Any, shown: str):
    with pytest.raises(ArgumentError) as caught:
        call(value)

    rule = "a Session object: Session.local() for this machine, Session() for the endpoint in the settings"
    assert f"modelarts_session={shown}: {rule}" in str(caught.value)
    assert "TELL NOBODY" not in str(caught.value)


# --- attributes of estimators

MISSPELLED = [
    ("hyperparamters", "hyperparameters"), ("hyperparams", "hyperparameters"), ("hyper_parameters", "hyperparameters"),
    ("output_pth", "output_path"), ("instance_type", "train_instance_type"), ("description", "job_description"),
    ("Code_Dir", "code_dir"), ("framework_verison", "framework_version"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "meant"), MISSPELLED)
def test_a_misspelled_attribute_is_refused_with_the_right_one(session: Session, name: str, meant: str):
    estimator = cloud_estimator(session)

    with pytest.raises(AttributeError, match=f"Estimator has no attribute '{name}', .*did you mean '{meant}'"):
        setattr(estimator, name, 1)

    assert not hasattr(estimator, name)


@pytest.mark.parametrize("name", ["notes", "owner", "accuracy", "job_name", "_hyperparamters", "dataset"])
def test_other_attributes_can_be_set(session: Session, name: str):
    estimator = cloud_estimator(session)

    setattr(estimator, name, 1)
    setattr(estimator, name, 2)

    assert getattr(estimator, name) == 2


def test_a_subclass_has_attributes_and_arguments_of_its_own(session: Session):
    class Tuned(Estimator):
        hyper_parameters = None  # a declared attribute is not misspelled

        def __init__(self, modelarts_session: Session, framework: str = "", **arguments: Any) -> None:
            super().__init__(modelarts_session, **arguments)
            self.framework = framework

    tuned = Tuned(session, framework="own", output_path="/bucket/output/")
    tuned.hyper_parameters = {"lr": 1}

    assert (tuned.framework, tuned.hyper_parameters) == ("own", {"lr": 1})
    with pytest.raises(AttributeError, match=r"Tuned has no attribute 'framwork'.*'framework'"):
        tuned.framwork = "own"


def test_an_estimator_can_be_copied(session: Session):
    assert copy.copy(cloud_estimator(session, job_id=5)).job_id == 5


def test_an_estimator_shows_what_it_trains_and_no_secrets(session: Session):
    estimator = cloud_estimator(session, hyperparameters={"token": "TELL NOBODY"}, job_id=5)

    assert repr(estimator) == (
        "Estimator(framework_version='PyTorch-1.0.0-python3.6', code_dir='/bucket/src/', "
        "boot_file='/bucket/src/train.py', train_instance_type='modelarts.vm.cpu.2u', job_id=5)"
    )
    assert repr(Estimator(session)) == "Estimator()"
