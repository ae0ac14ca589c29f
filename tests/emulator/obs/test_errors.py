"""What is not served, and what fails, is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.cloud import IGNORED, refused, signed
from tests.emulator.obs.in_process import put_in_process
from tests.emulator.signing import Caller
from tests.support.files import common_user

pytestmark = IGNORED


@pytest.mark.parametrize(
    ("method", "key", "parameters", "headers"),
    [
        ("GET", "", {"acl": None}, {}),
        ("PUT", "", {"versioning": None}, {}),
        ("GET", "", {"uploads": None, "delimiter": "/"}, {}),
        ("GET", "", {"list-type": "2"}, {}),
        ("GET", "file", {"versionId": "1"}, {}),
        ("POST", "file", {"append": None, "position": "0"}, {}),
        ("PUT", "file", {}, {"x-amz-copy-source": "/bucket/key"}),
        ("PUT", "file", {}, {"x-obs-server-side-encryption": "kms"}),
        ("PUT", "file", {}, {"x-amz-acl": "public-read"}),
        ("GET", "file", {}, {"If-Match": '"x"'}),
        ("OPTIONS", "", {}, {}),
    ],
)
def test_unimplemented_operations_are_reported(caller: Caller, bucket: Path, method, key, parameters, headers):
    call = signed(caller, method, bucket.name, key, parameters, headers)

    told = refused(caller.send_prepared(call), 501, "NotImplemented")

    assert told.startswith(f"the local service does not implement {method} of a")


def test_a_path_that_is_not_utf8_is_rejected(caller: Caller):
    call = signed(caller, "GET", "bucket", "x")
    call.url = call.url.replace("/x", "/%FF")

    refused(caller.send_prepared(call), 400, "InvalidURI")


def test_disk_errors_are_reported(caller: Caller):
    with common_user() as home:
        (home / "buckets" / "bucket").mkdir(parents=True)
        (home / "buckets" / "bucket").chmod(0o500)

        status, told = put_in_process(caller, home, "13")

    assert (status, b"<Code>AccessDenied</Code>" in told) == (403, True)
    assert b"the local service has no permission" in told
