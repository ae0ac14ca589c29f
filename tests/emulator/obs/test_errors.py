"""Unimplemented operations and failures are reported."""

from __future__ import annotations

from pathlib import Path

from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs.in_process import put_in_process
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, signed
from tests.support.cases import case
from tests.support.files import common_user

pytestmark = IGNORED_WARNINGS


UNIMPLEMENTED: list[tuple[str, str, dict[str, str | None], dict[str, str]]] = [  # method, key, parameters, headers
    ("PUT", "", {"acl": None}, {}),
    ("GET", "", {"policy": None}, {}),
    ("PUT", "", {"versioning": None}, {}),
    ("GET", "", {"uploads": None, "delimiter": "/"}, {}),
    ("GET", "file", {"versionId": "1"}, {}),
    ("PUT", "file", {"append": None, "position": "0"}, {}),
    ("PUT", "file", {}, {"x-amz-copy-source": "/bucket/key", "x-amz-tagging-directive": "COPY"}),
    ("GET", "file", {}, {"x-amz-copy-source": "/bucket/key"}),
    ("PUT", "file", {}, {"x-obs-server-side-encryption": "kms"}),
    ("PUT", "file", {}, {"x-amz-acl": "public-read"}),
    ("GET", "file", {}, {"If-None-Match": '"x"'}),
    ("PUT", "file", {}, {"If-Match": '"x"'}),
    ("OPTIONS", "", {}, {}),
]


def test_unimplemented_operations_are_reported(cloud: CloudClient, bucket: Path):
    for method, key, parameters, headers in UNIMPLEMENTED:
        request = signed(cloud, method, bucket.name, key, parameters, headers)

        with case(method, key, parameters, headers):
            message = assert_obs_error(cloud.send_prepared(request), 501, "NotImplemented")
            assert message.startswith(f"the local service does not implement {method} of a")


def test_a_path_that_is_not_utf8_is_rejected(cloud: CloudClient):
    request = signed(cloud, "GET", "bucket", "x")
    request.url = request.url.replace("/x", "/%FF")

    assert_obs_error(cloud.send_prepared(request), 400, "InvalidURI")


def test_disk_errors_are_reported(cloud: CloudClient):
    with common_user() as home:
        (home / "buckets" / "bucket").mkdir(parents=True)
        (home / "buckets" / "bucket").chmod(0o500)

        status, message = put_in_process(cloud, home, "13")

    assert (status, b"<Code>AccessDenied</Code>" in message) == (403, True)
    assert b"the local service has no permission" in message
