"""Arguments of list calls, and of calls on existing jobs: every wrong value is reported as an `ArgumentError`."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import json
from collections.abc import Iterator
from typing import Any, Callable
from urllib.parse import parse_qs, urlsplit

import numpy
import pytest
import responses

from modelarts.errors import ArgumentError, BadReply
from modelarts.estimator import Estimator, TrainingJob, VisualizationJob
from modelarts.session import Session
from tests.support.cloud import BASE, CPU, SPECS, Cloud, cloud_estimator, cloud_session
from tests.support.cloud import LISTS as LOOK_UPS

PAGES = {
    "get_job_list": Estimator.get_job_list,
    "get_job_configs_list": Estimator.get_job_configs_list,
    "get_job_configs_object_list": Estimator.get_job_configs_object_list,
    "get_visualization_job_list": VisualizationJob.get_visualization_job_list,
    "get_visualization_job_object_list": VisualizationJob.get_visualization_job_object_list,
}
ITERATORS = {
    "iter_jobs": Estimator.iter_jobs,
    "iter_job_configs": Estimator.iter_job_configs,
    "iter_visualization_jobs": VisualizationJob.iter_visualization_jobs,
}
LISTS: dict[str, Callable[..., Any]] = {**PAGES, **ITERATORS}
FILTERS = ("status", "per_page", "page", "sort_by", "sortBy", "order", "search_content", "workspace_id", "config_type")
WRONG: tuple[Any, ...] = (
    ["a"], [[1]], {"a": 1}, numpy.array([1.5, 2.5]), b"1", object(), True, 1.5, float("nan"),
)  # fmt: skip


def data_frame() -> Any:
    import pandas  # not for each process that collects tests

    return pandas.DataFrame({"a": [8]})


@pytest.fixture
def lists() -> Iterator[Session]:
    """A session on a cloud whose lists are all empty."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as faked, cloud_session() as opened:
        for path in ("training-jobs", "training-job-configs", "visualization-jobs"):
            rows = "configs" if path == "training-job-configs" else "jobs"
            faked.get(f"{BASE}/{path}", json={"is_success": True, rows: []})
        opened.faked = faked  # type: ignore[attr-defined]
        yield opened


def query_of(session: Session) -> dict[str, str]:
    """The query of the last request."""
    url = session.faked.calls[-1].request.url  # type: ignore[attr-defined]
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def filters_of(name: str) -> list[str]:
    taken = inspect.signature(LISTS[name]).parameters
    return [argument for argument in FILTERS if argument in taken]


@pytest.mark.parametrize("name", LISTS)
def test_a_filter_of_the_wrong_type_is_an_argument_error(lists: Session, name: str):
    for argument, value in itertools.product(filters_of(name), (*WRONG, data_frame())):
        with pytest.raises(ArgumentError) as caught:
            LISTS[name](lists, **{argument: value})

        assert [problem.argument for problem in caught.value.problems] == [argument], value
    assert not lists.faked.calls  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", LISTS)
def test_none_means_that_a_filter_is_left_out(lists: Session, name: str):
    list(LISTS[name](lists))
    without = query_of(lists)

    for argument in filters_of(name):
        list(LISTS[name](lists, **{argument: None}))
        assert query_of(lists).items() <= without.items(), argument


def test_a_filter_that_does_not_exist_is_refused_by_name(lists: Session):
    for name, call in LISTS.items():
        with pytest.raises(TypeError, match=rf"{name}\(\) got an unexpected keyword argument 'colour'"):
            call(lists, colour="red")


def test_an_iterator_takes_no_page_and_reports_wrong_filters_when_it_is_created(lists: Session):
    for name, call in ITERATORS.items():
        with pytest.raises(TypeError, match=rf"{name}\(\) got an unexpected keyword argument 'page'"):
            call(lists, page=2)
        with pytest.raises(ArgumentError, match="per_page=0: a whole number from 1 to 1000"):
            call(lists, per_page=0)


def test_both_spellings_of_the_sort_field_are_sent(lists: Session):
    for (name, call), spelling in itertools.product(LISTS.items(), ["sort_by", "sortBy"]):
        list(call(lists, **{spelling: "create_time", "order": "desc"}))

        query = query_of(lists)
        assert (query["sortBy"], query["order"]) == ("create_time", "desc"), (name, spelling)


@pytest.mark.parametrize(("given", "sent"), [
    (numpy.int64(8), "8"), (numpy.array([8, 10]), "8|10"), ([numpy.int32(8), "FAILED"], "8|11"), ({8}, "8"),
    (range(8, 10), "8|9"), ("8|RUNNING", "8|8"), ("waiting", "7"), ((), None),
])  # fmt: skip
def test_statuses_may_be_any_numbers_names_or_collections_of_them(lists: Session, given: Any, sent: str | None):
    if sent is None:
        with pytest.raises(ArgumentError, match="status="):
            Estimator.get_job_list(lists, status=given)
    else:
        Estimator.get_job_list(lists, status=given)
        assert query_of(lists)["status"] == sent


def test_statuses_may_be_a_column_of_a_data_frame(lists: Session):
    Estimator.get_job_list(lists, status=data_frame()["a"])

    assert query_of(lists)["status"] == "8"


def test_pages_may_be_counted_with_any_whole_number(lists: Session):
    for number in (numpy.int64(3), numpy.uint8(3), "3", 3):
        Estimator.get_job_list(lists, per_page=number, page=number)

        query = query_of(lists)
        assert (query["per_page"], query["page"]) == ("3", "3"), repr(number)


def test_visualization_jobs_are_sorted_by_every_documented_field(lists: Session):
    for argument, value in (("sort_by", "duration"), ("sortBy", "log_dir")):
        VisualizationJob.get_visualization_job_list(lists, **{argument: value})

        assert query_of(lists)["sortBy"] == value, argument


# --- ids, names and logs

ARRAY = numpy.array([1, 2])
CALLS: list[tuple[Callable[[Session], Any], str]] = [
    (lambda s: TrainingJob(s, ARRAY, 1).get_job_info(), "job_id"),
    (lambda s: TrainingJob(s, 1, [2]).get_job_info(), "version_id"),
    (lambda s: Estimator.delete_job_by_id(s, {"a": 1}), "job_id"),
    (lambda s: VisualizationJob(s, ARRAY).stop_visualization_job(), "visualization_id"),
    (lambda s: TrainingJob(s, 1, 2).get_job_log(["a"]), "log_file"),
    (lambda s: TrainingJob(s, 1, 2).get_job_log(ARRAY), "log_file"),
    (lambda s: TrainingJob(s, 1, 2).get_job_log("a", base_line=[1]), "base_line"),
    (lambda s: TrainingJob(s, 1, 2).get_job_log("a", lines=[1]), "lines"),
    (lambda s: TrainingJob(s, 1, 2).get_job_log("a", order=ARRAY), "order"),
    (lambda s: TrainingJob(s, 1, 2).get_job_log("a", start_byte=1.5), "start_byte"),
    (lambda s: TrainingJob(s, 1, 2).wait(ARRAY), "timeout"),
    (lambda s: TrainingJob(s, 1, 2).update_job_description(["d"]), "description"),
    (lambda s: TrainingJob(s, config_name=["c"]).get_job_configs_info(), "config_name"),
    (lambda s: TrainingJob(s, config_name=ARRAY).delete_job_configs(), "config_name"),
    (lambda s: Estimator.from_job_configs(s, ["c"]), "config_name"),
    (lambda s: Estimator.from_job_configs(s, None), "config_name"),
    (lambda s: VisualizationJob(s).create_visualization_job("/b/o/", job_name=ARRAY), "job_name"),
    (lambda s: VisualizationJob(s).create_visualization_job("/b/o/", job_type=ARRAY), "job_type"),
    (lambda s: VisualizationJob(s).create_visualization_job("/b/o/", schedule=ARRAY), "schedule"),
    (lambda s: VisualizationJob(s).create_visualization_job("/b/o/", flavor={"code": ARRAY}), "flavor"),
    (lambda s: VisualizationJob(s).create_visualization_job(ARRAY), "train_url"),
    (lambda s: VisualizationJob(s).create_visualization_job(None), "train_url"),
]  # fmt: skip


def test_a_value_of_the_wrong_type_is_an_argument_error(lists: Session):
    for number, (call, argument) in enumerate(CALLS):
        with pytest.raises(ArgumentError) as caught:
            call(lists)

        assert [problem.argument for problem in caught.value.problems] == [argument], f"row {number}"


NOT_UTF_8 = "run-\udce9"  # as `os.listdir` returns a file name in Latin-1


@pytest.mark.parametrize("call", [
    lambda s: Estimator.get_job_list(s, search_content=NOT_UTF_8),
    lambda s: list(Estimator.iter_job_configs(s, search_content=NOT_UTF_8)),
    lambda s: list(VisualizationJob.iter_visualization_jobs(s, workspace_id=NOT_UTF_8)),
    lambda s: TrainingJob(s, 1, 2).get_job_log(NOT_UTF_8),
    lambda s: TrainingJob(s, 1, 2).update_job_description(NOT_UTF_8),
    lambda s: TrainingJob(s, config_name=NOT_UTF_8).get_job_configs_info(),
    lambda s: VisualizationJob(s).create_visualization_job("/b/o/", job_desc=NOT_UTF_8),
])  # fmt: skip
def test_a_text_that_cannot_be_sent_is_an_argument_error(lists: Session, call: Callable[[Session], Any]):
    with pytest.raises(ArgumentError, match=r"'run-\\udce9': a text that UTF-8 can encode"):
        call(lists)

    assert not lists.faked.calls  # type: ignore[attr-defined]


@pytest.mark.parametrize("settings", [
    {"hyperparameters": {"data": NOT_UTF_8}}, {"hyperparameters": {NOT_UTF_8: 1}}, {"job_description": NOT_UTF_8},
    {"user_image_url": "i", "user_command": NOT_UTF_8, "code_dir": None, "boot_file": None},
    {"volumes": [{"nfs": {NOT_UTF_8: 1}}]}, {"nas_type": NOT_UTF_8},
])  # fmt: skip
def test_a_text_that_cannot_be_sent_is_reported_before_anything_is_uploaded(lists: Session, settings: dict[str, Any]):
    for name, (path, rows) in LOOK_UPS.items():
        lists.faked.get(BASE + path, json={"is_success": True, name: rows})  # type: ignore[attr-defined]

    with pytest.raises(ArgumentError, match=r"'run-\\udce9': a text that UTF-8 can encode"):
        cloud_estimator(lists, **settings).payload(inputs="/b/d/")


# --- arguments of estimators and of calls that create something

NO_TYPES = (*WRONG, NOT_UTF_8, numpy.int64(2), set(), {"type": "obs", "data_url": ["x"]}, [{"type": ["obs"]}],
            [{"type": "obs", "data_url": ARRAY}], [{"type": "dataset", "dataset_id": ARRAY, "dataset_version": 5}],
            [{"type": "obs", "data_url": "/b/d/", "more": object()}])  # fmt: skip
CREATING = {
    "create_training_job": {}, "create_training_job_version": {"pre_version_id": 1},
    "create_training_job_config": {"config_name": "c"},
}  # fmt: skip
SETTINGS = sorted({*inspect.signature(Estimator).parameters} - {"modelarts_session", "environment"})
OF_CALLS = ("inputs", "dataset_id", "dataset_version_id", "data_source", "job_name", "priority", "job_desc",
            "config_name", "config_desc", "job_id", "pre_version_id")  # fmt: skip


def body_or_error(session: Session, operation: str, settings: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Build a body that can be sent, or raise an `ArgumentError`."""
    with contextlib.suppress(ArgumentError):
        body = cloud_estimator(session, **settings).payload(operation, **arguments)
        json.dumps(body, ensure_ascii=False).encode()


@pytest.mark.parametrize("argument", [*SETTINGS, *OF_CALLS])
def test_any_value_is_sent_or_an_argument_error(lists: Session, argument: str):
    for name, (path, rows) in LOOK_UPS.items():
        lists.faked.get(BASE + path, json={"is_success": True, name: rows})  # type: ignore[attr-defined]
    data = {} if argument in ("inputs", "dataset_id", "dataset_version_id", "data_source") else {"inputs": "/b/d/"}
    for operation, needed in CREATING.items():
        arguments = {**needed, **data}
        for value in (*NO_TYPES, data_frame()):
            if argument in SETTINGS:
                body_or_error(lists, operation, {argument: value}, arguments)
            if argument in OF_CALLS:
                body_or_error(lists, operation, {}, {**arguments, argument: value})


@pytest.mark.parametrize("value", [numpy.int64(2), numpy.uint8(2), "2", 2], ids=repr)
def test_nodes_may_be_counted_with_any_whole_number(cloud: Cloud, session: Session, value: Any):
    cloud.look_ups("specs", "engines")

    body = cloud_estimator(session, train_instance_count=value).payload(inputs="/b/d/")

    assert json.dumps(body["config"]["worker_server_num"]) == "2"


# --- configurations that are read back


def saved(cloud: Cloud, **members: Any) -> None:
    cloud.answer("GET", "/training-job-configs/c", {"is_success": True, "config_name": "c", **members})


@pytest.mark.parametrize(("rows", "expected"), [
    ([{"key": "lr", "value": "0.1"}], [{"label": "lr", "value": "0.1"}]),  # as some documented samples print it
    ([{"label": "lr", "value": "0.1"}, {"label": "verbose"}],
     [{"label": "lr", "value": "0.1"}, {"label": "verbose", "value": ""}]),
    (None, []),
])  # fmt: skip
def test_the_hyperparameters_of_a_configuration_are_read_in_either_spelling(
    cloud: Cloud, session: Session, rows: Any, expected: list[dict[str, str]]
):
    saved(cloud, parameter=rows, spec_id=SPECS[0]["spec_id"], spec_code=CPU)

    assert Estimator.from_job_configs(session, "c").hyperparameters == expected


@pytest.mark.parametrize("members", [
    {"parameter": "lr=0.1"}, {"parameter": [1]}, {"parameter": [{"name": "lr"}]}, {"parameter": 5},
    {"data_source": "obs"}, {"data_source": [5]}, {"data_source": 5},
], ids=str)  # fmt: skip
def test_a_configuration_that_is_not_as_documented_is_a_bad_reply(cloud: Cloud, session: Session, members: Any):
    saved(cloud, **members)

    with pytest.raises(BadReply, match=f"with {next(iter(members))}=.*, which is not as documented"):
        Estimator.from_job_configs(session, "c")


# --- a visualization job that was created


def test_the_object_that_created_a_visualization_job_has_its_members(cloud: Cloud, session: Session):
    row = {"is_success": True, "job_id": 7, "job_name": "curves", "status": 1, "create_time": 1524189990635}
    cloud.answer("POST", "/visualization-jobs", row)
    creator = VisualizationJob(session)

    created = creator.create_visualization_job("/bucket/output/", job_name="curves")

    assert creator is not created
    for name, value in row.items():
        assert getattr(creator, name) == getattr(created, name) == value
    assert repr(creator) == repr(created) == "VisualizationJob(visualization_id=7, job_name='curves')"


def test_the_name_of_a_visualization_job_is_known_where_the_reply_leaves_it_out(cloud: Cloud, session: Session):
    cloud.answer("POST", "/visualization-jobs", {"is_success": True, "job_id": 7})

    assert VisualizationJob(session).create_visualization_job("/bucket/output/", job_name="curves").job_name == "curves"
