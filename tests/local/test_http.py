"""The service with a bare HTTP client: failures in the documented shape, never a 500 or an incomplete row."""

from __future__ import annotations

import json

import pytest
import requests

from modelarts.local import daemon

CONFIG = {
    "config_name": "c", "worker_server_num": 1, "app_url": "/b/src/", "boot_file_url": "/b/src/a.py", "spec_id": 2,
    "engine_id": 1, "data_url": "/b/data/",
}  # fmt: skip


@pytest.fixture
def call(shared_session, shared_home):
    """Send a request to the service: `call("POST", "/training-jobs", {…})`; the reply must be JSON."""
    client = requests.Session()
    client.headers["X-Auth-Token"] = daemon.find(shared_home).token

    def send(method: str, path: str, body=None, **options):
        data = json.dumps(body) if body is not None else options.pop("data", None)
        reply = client.request(method, f"{shared_session.host}/v1/local{path}", data=data, timeout=10, **options)
        reply.json()
        return reply

    yield send
    client.close()


def refused(reply, status: int, code: str) -> str:
    """Assert a failure in the documented shape; returns its message."""
    body = reply.json()
    assert (reply.status_code, body["is_success"], body["error_code"]) == (status, False, code), (
        reply.url,
        reply.request.body,
    )
    assert body["error_msg"] == body["error_message"]
    return body["error_msg"]


WRONG = [
    ({"config_name": ""}, "config_name must be 1 to 64"),
    ({"config_name": "a" * 65}, "config_name must be 1 to 64"),
    ({"config_name": "has blank"}, "config_name must be 1 to 64"),
    ({"config_name": 5}, "config_name must be 1 to 64"),
    ({"config_desc": "d" * 257}, "config_desc must be a text of 0 to 256"),
    ({"worker_server_num": 0}, "worker_server_num must be a whole number from 1 to 2"),
    ({"worker_server_num": 3}, "worker_server_num must be a whole number from 1 to 2"),
    ({"worker_server_num": True}, "worker_server_num must be a whole number"),
    ({"spec_id": 999}, "spec_id 999 does not exist; GET /job/resource-specs lists"),
    ({"spec_id": None}, "spec_id or pool_id is required"),
    ({"engine_id": 999}, "engine_id 999 does not exist; GET /job/ai-engines lists"),
    ({"model_id": 999}, "model_id 999 does not exist; GET /built-in-algorithms lists"),
    ({"boot_file_url": "/b/other/a.py"}, "must be in the folder app_url"),
    ({"boot_file_url": None}, "app_url and boot_file_url must be given together"),
    ({"app_url": None, "boot_file_url": None}, "model_id, app_url with boot_file_url, or"),
    ({"user_image_url": "swr/image"}, "user_image_url and user_command must be given together"),
    ({"data_url": None}, "one of data_url"),
    ({"dataset_id": "d"}, "dataset_id requires dataset_version_id"),
    ({"dataset_id": "d", "dataset_version_id": "v"}, "only one of data_url"),
    ({"data_url": "no slash"}, "an OBS path is written"),
    ({"data_url": "/b/../etc/"}, "are not allowed"),
    ({"data_source": [{"type": "s3"}], "data_url": None}, "must have the type obs or dataset"),
    ({"parameter": "lr=1"}, "parameter must be a list"),
    ({"parameter": [{"value": "1"}]}, "must have a label"),
    ({"parameter": [{"label": "lr"}, {"label": "lr"}]}, "occurs twice"),
    ({"log_url": 3}, "log_url must be a text"),
    ({"volumes": [1]}, "volumes must be a list of objects"),
]


def test_an_invalid_configuration_is_refused_and_not_stored(call):
    for change, message in WRONG:
        body = {name: value for name, value in {**CONFIG, **change}.items() if value is not None}

        assert message in refused(call("POST", "/training-job-configs", body), 400, "ModelArts.0104"), change
        assert call("GET", "/training-job-configs").json()["configs"] == [], change


def test_a_refused_update_leaves_the_configuration_as_it_was(call):
    call("POST", "/training-job-configs", CONFIG)
    before = call("GET", "/training-job-configs/c").json()

    refused(call("PUT", "/training-job-configs/c", {**CONFIG, "spec_id": 999}), 400, "ModelArts.0104")

    assert call("GET", "/training-job-configs/c").json() == before


def test_an_update_resets_members_that_it_lacks_to_their_defaults(call):
    call("POST", "/training-job-configs", {**CONFIG, "config_desc": "first", "log_url": "/b/log/"})

    call("PUT", "/training-job-configs/c", {**CONFIG, "data_url": "/b/other/"})

    after = call("GET", "/training-job-configs/c").json()
    assert (after["data_url"], after["config_desc"], after["log_url"]) == ("/b/other/", "", "")


def test_names_are_unique(call):
    job = {"job_name": "j", "config": CONFIG}
    call("POST", "/training-job-configs", CONFIG)
    call("POST", "/training-jobs", job)

    refused(call("POST", "/training-job-configs", CONFIG), 409, "ModelArts.0103")
    assert refused(call("POST", "/training-jobs", job), 409, "ModelArts.0103") == "Job name:j is existed"


MISSING = [
    ("GET", "/training-job-configs/none"),
    ("PUT", "/training-job-configs/none"),
    ("GET", "/training-jobs/77/versions"),
    ("POST", "/training-jobs/77/versions"),
    ("GET", "/training-jobs/77/versions/1"),
    ("POST", "/training-jobs/77/versions/1/stop"),
    ("GET", "/training-jobs/77/versions/1/log/file-names"),
    ("GET", "/training-jobs/77/versions/1/aom-log"),
]


def test_paths_of_what_does_not_exist_are_0105(call):
    for method, path in MISSING:
        body = {**CONFIG, "config": {**CONFIG, "pre_version_id": 1}} if method != "GET" else None

        assert "does not exist" in refused(call(method, path, body), 404, "ModelArts.0105"), (method, path)


def test_a_body_that_is_not_an_object_is_refused(call):
    for data in (b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"config": 5}'):
        refused(call("POST", "/training-jobs", data=data), 400, "ModelArts.0104")


def test_a_body_beyond_the_limit_is_refused(call):
    reply = call("POST", "/training-jobs", data=b" " * (12 * 1024 * 1024 + 1))

    refused(reply, 413, "ModelArts.0104")


def test_unknown_members_are_ignored(call):
    observed = {"priority": 1, "job_type": "train", "autosearch_config": {"config_path": ""}}

    assert call("POST", "/training-job-configs", {**CONFIG, **observed}).json() == {"is_success": True}


def test_no_data_is_accepted_with_enable_check_only(call):
    body = {name: value for name, value in CONFIG.items() if name != "data_url"}

    refused(call("POST", "/training-job-configs", body), 400, "ModelArts.0104")
    assert call("POST", "/training-job-configs", {**body, "enable_check": False}).json()["is_success"]


def test_wrong_methods_paths_and_projects_are_refused(call, shared_session, shared_home):
    refused(call("DELETE", "/job/ai-engines"), 405, "ModelArts.0104")
    refused(call("GET", "/nothing"), 404, "ModelArts.0015")
    headers = {"X-Auth-Token": daemon.find(shared_home).token}
    other = requests.get(f"{shared_session.host}/v1/other/job/ai-engines", headers=headers, timeout=5)
    refused(other, 403, "ModelArts.0210")


def test_one_extra_slash_at_either_end_is_accepted(shared_session, shared_home):
    headers = {"X-Auth-Token": daemon.find(shared_home).token}
    for url in (
        f"{shared_session.host}//v1/local/built-in-algorithms",
        f"{shared_session.host}/v1/local/job/ai-engines/",
    ):
        assert requests.get(url, headers=headers, timeout=5, allow_redirects=False).json()["is_success"], url


def test_documented_flavor_codes_are_accepted_instead_of_ids(call):
    body = {**CONFIG, "flavor": {"code": "modelarts.vm.cpu.8u"}}
    del body["spec_id"]

    call("POST", "/training-job-configs", body)

    assert call("GET", "/training-job-configs/c").json()["spec_id"] == 27


QUERIES = [
    "per_page=0",
    "per_page=1001",
    "per_page=x",
    "page=0",
    "sortBy=color",
    "order=up",
    "status=99",
    "status=NONE",
    "search_content=" + "x" * 101,
]


def test_an_invalid_query_is_refused(call):
    for query in QUERIES:
        refused(call("GET", f"/training-jobs?{query}"), 400, "ModelArts.0104")
