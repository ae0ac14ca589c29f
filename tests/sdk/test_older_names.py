"""What scripts for older versions of the SDK use beside the documents: names, attributes and positional orders."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelarts.estimator import JOB_STATE, Estimator, TrainingJob, VisualizationJob
from modelarts.exception.apig_exception import APIGException
from modelarts.session import Session
from tests.support.cloud import ENGINES, SPECS, Cloud, cloud_estimator

INFO = "/training-jobs/10/versions/20"
BOARD = {"is_success": True, "job_id": 7, "job_name": "board", "status": 1, "create_time": 1}


def sent(cloud: Cloud) -> dict[str, Any]:
    """The body that created something, and the input data in it."""
    (body,) = cloud.sent
    return body


ORDERS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("/b/data/", False, "digits"), {}),
    (("/b/data/", False), {"job_name": "digits"}),
    (("/b/data/", False, True, "digits"), {}),
    (("/b/data/", "digits", False), {}),
    (("/b/data/", None, None, False, "digits"), {}),
]


@pytest.mark.parametrize(("arguments", "named"), ORDERS, ids=str)
def test_fit_takes_the_older_order(cloud: Cloud, session: Session, arguments: tuple[Any, ...], named: dict[str, Any]):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", {"is_success": True, "job_id": 10, "version_id": 20})

    cloud_estimator(session).fit(*arguments, **named)

    body = sent(cloud)
    assert (body["job_name"], body["config"]["data_url"]) == ("digits", "/b/data/")
    assert "dataset_id" not in body["config"]


def test_fit_waits_when_the_older_order_says_so(
    cloud: Cloud, session: Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", {"is_success": True, "job_id": 10, "version_id": 20})
    watched: list[TrainingJob] = []
    monkeypatch.setattr(Estimator, "_watch", lambda _, job, status: watched.append(job))

    cloud_estimator(session).fit("/b/data/", True, "digits")

    assert [job.version_id for job in watched] == [20]


def test_create_job_version_takes_the_older_order(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs/10/versions", {"is_success": True, "job_id": 10, "version_id": 21})

    cloud_estimator(session).create_job_version("10", 20, "/b/data/", False, "a description")

    assert sent(cloud)["job_desc"] == "a description"
    assert sent(cloud)["config"]["data_url"] == "/b/data/"


def test_a_visualization_job_takes_the_order_of_the_documents_table(cloud: Cloud, session: Session):
    cloud.answer("POST", "/visualization-jobs", BOARD)

    VisualizationJob(session).create_visualization_job("board", "a description", "/b/out/")

    assert sent(cloud) == {"job_name": "board", "job_desc": "a description", "train_url": "/b/out/"}


def test_a_pool_decides_about_a_flavor_that_is_not_listed(
    cloud: Cloud, session: Session, caplog: pytest.LogCaptureFixture
):
    cloud.look_ups("specs", "engines")
    estimator = cloud_estimator(session, pool_id="pool1", train_instance_type="modelarts.pool.visual.xlarge")

    config = estimator.payload(inputs="/b/data/")["config"]

    assert (config["pool_id"], config.get("spec_id")) == ("pool1", None)
    assert "pool pool1 decides" in caplog.text


def test_a_job_has_what_it_trains_on(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", {"is_success": True, "job_id": 10, "version_id": 20})
    rows = [{"version_id": 21, "train_url": "/b/o/", "data_url": "/b/d/", "data_source": None, "dataset_id": "d"}]
    cloud.answer("GET", "/training-jobs/10/versions", {"is_success": True, "job_id": 10, "versions": rows})

    job = cloud_estimator(session).fit(dataset_id="data", dataset_version_id="v1")
    (listed,) = job.get_job_version_object_list(is_show=False)

    assert (job.train_url, job.inputs, job.data_source) == ("/bucket/output/", None, None)
    assert (job.dataset_id, job.dataset_version_id) == ("data", "v1")
    assert (listed.train_url, listed.inputs, listed.dataset_id) == ("/b/o/", "/b/d/", "d")
    assert (job.log_url, job.is_success, listed.data_url) == ("/bucket/log/", True, "/b/d/")
    assert TrainingJob(session, 10, 20).train_url is None
    with pytest.raises(AttributeError, match="'TrainingJob' object has no attribute 'log_uri'"):
        print(job.log_uri)
    assert copy.deepcopy(job).modelarts_session is session


def test_the_state_of_a_job(cloud: Cloud, session: Session):
    for _ in range(2):
        cloud.answer("GET", INFO, {"is_success": True, "job_id": 10, "status": 12})

    assert JOB_STATE[Estimator(session, job_id=10, version_id="20").get_job_state()] == "JOBSTAT_KILLED"
    assert TrainingJob(session, 10, 20).get_job_state().name == "JOBSTAT_KILLED"


def test_lists_as_the_rest_api_has_them(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    cloud.answer("GET", "/pools", {"pool_total_count": 1, "pools": [{"pool_id": "p1"}]})

    assert Estimator.get_engine_list(session)["engines"] == ENGINES
    assert Estimator.get_spec_list(modelarts_session=session).specs == SPECS
    assert Estimator.get_job_pool_list(session).pools[0].pool_id == "p1"


def test_a_refusal_is_caught_by_its_older_name(cloud: Cloud, session: Session):
    refusal = {"is_success": False, "error_code": "ModelArts.0105", "error_msg": "no such job"}
    cloud.answer("GET", INFO, refusal, 404)

    with pytest.raises(APIGException, match="no such job") as caught:
        TrainingJob(session, 10, 20).get_job_state()

    assert (caught.value.error_code, caught.value.error_msg) == ("ModelArts.0105", "no such job")


def test_the_reason_of_a_refusal_has_both_of_its_documented_names(cloud: Cloud, session: Session):
    cloud.answer("GET", INFO, {"is_success": False, "error_code": "ModelArts.0105", "error_message": "gone"}, 404)

    reply = TrainingJob(session, 10, 20).get_job_info()

    assert reply["error_msg"] == reply["error_message"] == reply.error_message == "gone"
    with pytest.raises(KeyError, match="other"):
        reply["other"]


# --- visualization jobs


def test_a_visualization_job_has_an_id_by_both_names(session: Session):
    assert VisualizationJob(session, job_id=7).visualization_id == 7
    assert VisualizationJob(session, 7).job_id == 7


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        ({"status": 8}, "JOBSTAT_INIT\nJOBSTAT_RUNNING\n"),
        ({"status": 11, "error_result": "no files"},
         "JOBSTAT_INIT\nJOBSTAT_FAILED\nvisualization job board did not start: no files\n"),
    ],
)  # fmt: skip
def test_a_visualization_job_is_waited_for(
    cloud: Cloud, session: Session, capsys: pytest.CaptureFixture[str], last: dict[str, Any], shown: str
):
    cloud.answer("POST", "/visualization-jobs", BOARD)
    cloud.answer("GET", "/visualization-jobs/7", BOARD)
    cloud.answer("GET", "/visualization-jobs/7", {**BOARD, **last})

    job = VisualizationJob(session).create_visualization_job("/b/out/", "board", wait=True)

    assert capsys.readouterr().out == shown
    assert job.status == last["status"]
