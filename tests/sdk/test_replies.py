"""Members of replies have their documented types, and none is lost."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from modelarts._wire.v1.routes import BY_OPERATION
from modelarts._wire.v1.status import FAILED, LOST, OUTCOMES, PENDING, STOPPED, SUCCEEDED, JobStatus
from modelarts.errors import BadReply, OutcomeUnknown
from modelarts.estimator import JOB_STATE, Estimator
from modelarts.session import Session
from tests.support.cloud import Cloud, contract

OPERATIONS = {row["id"]: row for row in contract("rest_v1.json")["operations"] if row["id"] in BY_OPERATION}
STATUSES = {row["value"]: row["name"] for row in contract("sdk_surface.json")["runtime"]["job_statuses"]}
PATH = {"job_id": 10, "version_id": 20, "config_name": "c"}
INFO = "/training-jobs/10/versions/20"


def call(cloud: Cloud, session: Session, operation: str, reply: Any, status: int = 200) -> Any:
    """Make a documented call that is answered so."""
    route = BY_OPERATION[operation]
    url = route.url("", project_id="p" * 32, **PATH).replace(f"/v1/{'p' * 32}", "")
    cloud.answer(route.method, url, reply, status)
    return session.client.call(operation, PATH)


def info(cloud: Cloud, session: Session, reply: Any, status: int = 200) -> Any:
    """What `get_job_info` makes of a reply."""
    cloud.answer("GET", INFO, reply, status)
    return Estimator(session, job_id=10, version_id=20).get_job_info()


# --- types


def printed_otherwise(fields: list[dict[str, Any]]) -> dict[str, Any]:
    """A reply whose every documented integer is quoted, and whose texts are numbers where samples print them so."""
    return {field["name"]: _otherwise(field) for field in fields if field["name"] not in ("is_success", "error_code")}


def _otherwise(field: dict[str, Any]) -> Any:
    if field["type"] == "array":
        item = field.get("items") or {}
        return [printed_otherwise(item["fields"])] if item.get("fields") else ["7"]
    if field["type"] == "object":
        return printed_otherwise(field.get("fields") or [])
    if field["type"] == "string" and "integer" in field.get("accept_types", ()):
        return 7
    return {"boolean": True, "number": 0.5}.get(field["type"], "7")


def wrongly_typed(fields: list[dict[str, Any]], values: Any) -> Iterator[str]:
    """The members whose value has another type than the documented one."""
    for field in fields:
        if field["name"] not in values:
            continue
        value, item = values[field["name"]], field.get("items") or {}
        kinds = {"array": list, "object": dict, "string": str, "boolean": bool, "number": float, "integer": int}
        if not isinstance(value, kinds[field["type"]]):
            yield f"{field['name']}={value!r}"
        elif field["type"] == "object":
            yield from wrongly_typed(field.get("fields") or [], value)
        elif field["type"] == "array" and item.get("fields"):
            yield from wrongly_typed(item["fields"], value[0])


def test_every_documented_member_has_its_documented_type(cloud: Cloud, session: Session):
    for operation, row in OPERATIONS.items():
        cloud.faked.reset()

        response = call(cloud, session, operation, {"is_success": True, **printed_otherwise(row["response"]["fields"])})

        assert list(wrongly_typed(row["response"]["fields"], response)) == [], operation


def test_all_members_of_documented_replies_are_kept(cloud: Cloud, session: Session):
    for operation, row in OPERATIONS.items():
        for sample in row["samples"]["responses_success"]:
            cloud.faked.reset()

            response = call(cloud, session, operation, sample["body"])

            assert response.is_success is True, operation
            assert as_texts(response) == as_texts({"is_success": True, **sample["body"]}), operation


def as_texts(value: Any) -> Any:
    """A reply whose numbers are texts, so that it compares whichever way they were printed."""
    if isinstance(value, dict):
        return {name: as_texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_texts(item) for item in value]
    return str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("odd", ["", "10a", "--5", "1.5", "٣", None, [1]], ids=repr)
def test_a_value_that_is_not_a_number_is_kept(cloud: Cloud, session: Session, odd: Any):
    assert info(cloud, session, {"is_success": True, "job_id": odd, "status": 8}).job_id == odd


def test_unknown_members_are_kept_and_members_are_attributes(cloud: Cloud, session: Session):
    response = info(cloud, session, {"job_id": "10", "new": {"inner": [{"version_id": "3", "odd": "3"}]}})

    assert response.job_id == response["job_id"] == 10
    assert response.new.inner[0].version_id == 3
    assert response.new.inner[0].odd == "3"
    assert "new" in dir(response)
    assert json.loads(json.dumps(response))["new"] == {"inner": [{"version_id": 3, "odd": "3"}]}


def test_a_missing_attribute_lists_the_members(cloud: Cloud, session: Session):
    response = info(cloud, session, {"job_id": 10, "is_success": True})

    with pytest.raises(AttributeError, match="no member 'jobid' in this reply; members: job_id, is_success"):
        response.jobid  # noqa: B018
    assert not hasattr(response, "jobid")
    assert response.get("jobid") is None


def test_metrics_are_decoded_whether_text_or_object(cloud: Cloud, session: Session):
    metrics = {"total_metric": {"total_metric_values": {"recall": 0.5}}}

    response = info(
        cloud, session, {"job_id": 10, "model_metric_list": json.dumps(metrics), "system_metric_list": {"cpuUsage": []}}
    )

    assert response["model_metric_list"] == metrics
    assert response["system_metric_list"] == {"cpuUsage": []}


def test_a_response_survives_pickling(cloud: Cloud, session: Session):
    response = info(cloud, session, {"job_id": 10, "status": 8, "versions": [{"version_id": 3}]})

    copy = pickle.loads(pickle.dumps(response))

    assert copy == response
    assert (copy.status.name, copy.versions[0].version_id) == ("JOBSTAT_RUNNING", 3)


# --- statuses


def test_the_names_of_statuses_are_the_documented_ones():
    assert len(STATUSES) == 23
    assert dict(enumerate(JOB_STATE)) == STATUSES


@pytest.mark.parametrize("convert", [int, str])
def test_a_status_is_its_number_and_prints_as_digits(cloud: Cloud, session: Session, convert: type):
    for number in STATUSES:
        cloud.faked.reset()
        status = info(cloud, session, {"status": convert(number)})["status"]

        assert status == number
        assert isinstance(status, int)
        assert status.name == JOB_STATE[status] == STATUSES[number]
        shown = [str(status), repr(status), f"{status}", f"{status:d}", "%s" % status, json.dumps(status)]  # noqa: UP031
        assert shown == [str(number)] * len(shown)
        assert str({"status": status}) == str({"status": number})
        assert pickle.loads(pickle.dumps(status)).name == STATUSES[number]


def test_an_unknown_status_is_kept_and_counts_as_unfinished(cloud: Cloud, session: Session):
    status = info(cloud, session, {"status": "99"})["status"]

    assert status == 99
    assert (str(status), status.name) == ("99", "STATUS_99")
    assert not status.ended


def test_every_status_has_an_outcome_and_those_called_terminal_end_the_waiting():
    notes = contract("sdk_surface.json")["runtime"]["job_status_notes"]

    assert {*OUTCOMES} == {*STATUSES}
    assert {*OUTCOMES.values()} == {PENDING, SUCCEEDED, FAILED, STOPPED, LOST}
    assert [n for n in STATUSES if JobStatus(n).ended] == notes["terminal_statuses_suggested"]["values"]
    assert [n for n in STATUSES if JobStatus(n).outcome == SUCCEEDED] == [10]


# --- what is no reply of the API

NO_REPLIES = [
    (b"<html><body>Sign in</body></html>", 200),
    (b"<html>502 Bad Gateway</html>", 502),
    (b'{"is_success": true, "job_id"', 200),
    (b"", 200),
    (b"", 404),
    (b"{}", 500),
    (b"[1, 2]", 200),
    (b'"text"', 200),
    (b"null", 200),
    (b"\xff\xfe", 200),
    (b'{"is_success": true}', 302),
]


@pytest.mark.parametrize(("content", "status"), NO_REPLIES)
def test_a_reply_that_is_not_one_of_the_api_raises(cloud: Cloud, session: Session, content: bytes, status: int):
    with pytest.raises(BadReply, match=r"not a ModelArts reply.*Check the endpoint, and proxies in between") as caught:
        info(cloud, session, content, status)

    assert (caught.value.status, caught.value.method) == (status, "GET")
    assert caught.value.url.endswith(INFO)
    assert f"HTTP {status}" in str(caught.value)


@pytest.mark.parametrize(
    "operation", ["stop_training_job_version", "delete_training_job", "update_training_job_description"]
)
def test_204_is_a_success_of_calls_without_a_result(cloud: Cloud, session: Session, operation: str):
    assert call(cloud, session, operation, b"", 204).is_success is True


@pytest.mark.parametrize(
    ("operation", "error"),
    [("get_training_job_version", BadReply), ("list_training_jobs", BadReply), ("create_training_job", OutcomeUnknown),
     ("create_training_job_config", OutcomeUnknown)],
)  # fmt: skip
def test_204_is_not_a_success_of_calls_with_a_result(cloud: Cloud, session: Session, operation: str, error: type):
    with pytest.raises(error, match="answered HTTP 204 with a body that is not a ModelArts reply"):
        call(cloud, session, operation, b"", 204)


# --- notebooks


def test_a_notebook_shows_a_response_as_a_table_with_nothing_unescaped(cloud: Cloud, session: Session):
    page = info(cloud, session, {"job_name": "<script>", "status": 8, "versions": [{"status": 12}]})._repr_html_()

    assert page.startswith("<table>")
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "<code>JOBSTAT_RUNNING</code>" in page
    assert "[{&#x27;status&#x27;: JOBSTAT_KILLED}]" in page


def test_a_notebook_shows_a_failed_call_in_red(cloud: Cloud, session: Session):
    refusal = {"is_success": False, "error_code": "ModelArts.0105", "error_message": "a < b"}

    page = info(cloud, session, refusal)._repr_html_()

    assert "color:#b00020" in page
    assert "ModelArts.0105: a &lt; b" in page
