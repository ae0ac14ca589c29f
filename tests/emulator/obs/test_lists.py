"""Lists of objects have the order, the pages and the prefixes of OBS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from modelarts._obs.paths import PART
from modelarts.session import Session
from tests.emulator.cloud_client import CloudClient
from tests.emulator.obs_requests import IGNORED_WARNINGS, assert_obs_error, keys_in, signed
from tests.support.files import put

pytestmark = IGNORED_WARNINGS


def test_a_list_of_many_objects_is_paginated(session: Session, client, bucket: Path):
    names = [f"{number % 7}/{number:04d}" for number in range(1050)] + ["1-a", "1.a", "10"]
    for folder in range(7):
        (bucket / str(folder)).mkdir()
    for name in names:
        (bucket / name).touch()

    items = session.obs.list(f"obs://{bucket.name}/", recursive=True)
    page = client.listObjects(bucket.name, max_keys=1000)

    assert [item.path.key for item in items] == sorted(names)
    assert (page.body.is_truncated, page.body.next_marker, len(page.body.contents)) == (
        True,
        keys_in(page)[-1],
        1000,
    )


GROUPED: list[tuple[str | None, str | None, list[str]]] = [  # prefix, delimiter, what is listed
    (None, None, ["a", "b!", "b/c", "b/d/e", "b0", "中/x", "😀"]),
    (None, "/", ["a", "b!", "b/", "b0", "中/", "😀"]),
    ("b", None, ["b!", "b/c", "b/d/e", "b0"]),
    ("b/", "/", ["b/c", "b/d/"]),
    ("b/d", "/", ["b/d/"]),
    ("b/d/", "/", ["b/d/e"]),
    ("b", "d", ["b!", "b/c", "b/d", "b0"]),
    ("中", "/", ["中/"]),
    ("x", "/", []),
    ("a/", "/", []),
]


@pytest.mark.parametrize("most", [1, 2, 1000])
def test_lists_are_sorted_and_grouped_by_delimiters(client, bucket: Path, most: int):
    for name in ("a", "b!", "b/c", "b/d/e", "b0", "中/x", "😀"):
        put(bucket / name, "")
    put(bucket / "b" / f"{PART}x")
    (bucket / os.fsdecode(b"no text \xff")).touch()

    for prefix, delimiter, expected in GROUPED:
        found: list[str] = []
        marker = None
        while True:
            body = client.listObjects(
                bucket.name, prefix=prefix, delimiter=delimiter, marker=marker, max_keys=most, encoding_type="url"
            ).body
            found += sorted([one.key for one in body.contents] + [one.prefix for one in body.commonPrefixs])
            if not body.is_truncated:
                break
            marker = body.next_marker
        assert found == expected, (prefix, delimiter)

    (bucket / "b" / f"{PART}x").unlink()
    (bucket / os.fsdecode(b"no text \xff")).unlink()


def test_invalid_list_parameters_are_rejected(cloud: CloudClient, bucket: Path):
    for parameters in ({"max-keys": "-1"}, {"max-keys": "x"}, {"max-keys": "1" * 9999}, {"encoding-type": "base64"}):
        assert_obs_error(cloud.send_prepared(signed(cloud, "GET", bucket.name, "", parameters)), 400, "InvalidArgument")
