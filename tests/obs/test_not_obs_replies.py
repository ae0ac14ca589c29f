"""No success without proof that it was OBS that answered: a login page of a network answers 200 to everything."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import MARK, CutReply, Damage, FaultProxy, Reply, Request, error_reply
from large import PART

from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts.errors import ObsError
from tests.support.cases import case

with warnings.catch_warnings():  # as in conftest
    warnings.simplefilter("ignore")
    from obs import CompleteMultipartUploadRequest, CompletePart

HTML = b"<html><body>Please log in</body></html>"
PAGES = [Reply(200, HTML, {"Content-Type": "text/html"}), Reply(200), Reply(200, HTML, MARK), Reply(404, HTML)]

Act = Callable[[HuaweiBuckets, str], Any]
CALLS: dict[str, Act] = {
    "list": lambda obs, root: obs.list(f"{root}/"),
    "exists": lambda obs, root: obs.exists(f"{root}/a.txt"),
    "folder": lambda obs, root: obs.exists(f"{root}/dir/"),
    "upload": lambda obs, root: obs.upload_file("small.txt", root),
    "large": lambda obs, root: obs.upload_file("large.bin", root),
    "folders": lambda obs, root: obs.upload_dir("data", root),
    "download": lambda obs, root: obs.download_file(f"{root}/there.txt", "fetched.txt"),
    "download_dir": lambda obs, root: obs.download_dir(root, "fetched"),
    "delete": lambda obs, root: obs.delete(f"{root}/there.txt"),
    "empty": lambda obs, root: obs.delete(root, recursive=True),
    "make": lambda obs, root: obs.create_directory(f"{root}/dir/"),
}


@pytest.fixture
def files(local: Path) -> Path:
    (local / "small.txt").write_text("small")
    (local / "data").mkdir()
    (local / "data" / "a.txt").write_text("a")
    (local / "large.bin").write_bytes(os.urandom(3 * PART + 5))
    return local


@pytest.mark.parametrize("call", CALLS)
def test_a_reply_that_is_not_from_obs_is_an_error(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy, call: str
):
    obs.upload_file("small.txt", f"obs://{bucket}/")
    before = {path.name for path in files.rglob("*")}
    said = r"that is not a reply of OBS\. Check the endpoint|there is no such object"

    for page in PAGES:
        proxy.rule = lambda request, page=page: page
        with case(page):
            with pytest.raises(ObsError, match=said):
                CALLS[call](obs, f"obs://{bucket}")
            assert {path.name for path in files.rglob("*")} == before


@pytest.mark.parametrize("size", [100, 3 * PART])
def test_a_login_page_is_not_saved_as_an_object(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy, size: int
):
    (files / "there.bin").write_bytes(bytes(size))
    obs.upload_file("there.bin", f"obs://{bucket}/")
    (files / "there.bin").unlink()
    proxy.rule = lambda request: Reply(200, HTML, MARK) if request.method == "GET" and request.key else None

    with pytest.raises(ObsError, match="that is not a reply of OBS"):
        obs.download_file(f"obs://{bucket}/there.bin", "there.bin")

    assert not (files / "there.bin").exists()


# --- parts


def is_end(request: Request) -> bool:
    return request.method == "POST" and "uploadId" in request.target


def test_damage_in_one_part_of_an_object_is_detected(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy
):
    obs.upload_file("large.bin", f"obs://{bucket}/")
    damaged = f"bytes={PART}-"
    proxy.rule = lambda request: Damage() if request.headers.get("range", "").startswith(damaged) else None

    with pytest.raises(ObsError, match=r"large\.bin: the content received differs from the object; call again"):
        obs.download_file(f"obs://{bucket}/large.bin", "fetched.bin")
    assert not (files / "fetched.bin").exists()
    proxy.rule = lambda request: None
    obs.download_file(f"obs://{bucket}/large.bin", "fetched.bin")

    assert (files / "fetched.bin").read_bytes() == (files / "large.bin").read_bytes()


def test_parts_of_another_size_are_accepted(auth: Any, bucket: str, files: Path, proxy: FaultProxy, tmp_path: Path):
    (files / "large.bin").write_bytes(os.urandom(14 * PART))
    for part_size in (8 * PART, 12 * PART):  # whole MiB, and two parts either way
        other = HuaweiBuckets(proxy.url, auth, tmp_path / "other", part_size=part_size)
        other.upload_file("large.bin", f"obs://{bucket}/{part_size}/")
        other.close()
    obs = HuaweiBuckets(proxy.url, auth, tmp_path / "state", part_size=12 * PART)

    obs.download_dir(f"obs://{bucket}/", "fetched")

    fetched = [path.read_bytes() for path in files.glob("fetched/*/*/large.bin")]
    assert fetched == [(files / "large.bin").read_bytes()] * 2
    obs.close()


def put_together(obs: HuaweiBuckets, bucket: str, key: str, content: bytes, sizes: list[int], **options: Any) -> None:
    """Make an object of parts as another tool does."""
    client = obs.client()
    upload_id = client.initiateMultipartUpload(bucket, key, **options).body.uploadId
    parts, begin = [], 0
    for number, size in enumerate(sizes, 1):
        sent = client.uploadPart(bucket, key, number, upload_id, content=content[begin : begin + size])
        parts.append(CompletePart(number, sent.body.etag))
        begin += size
    client.completeMultipartUpload(bucket, key, upload_id, CompleteMultipartUploadRequest(parts))


@pytest.mark.parametrize("mark", [{}, {"metadata": {"modelarts-part-size": "1234"}}], ids=["no mark", "of a copy"])
def test_an_object_with_parts_of_unknown_sizes_is_kept_with_a_warning(
    obs: HuaweiBuckets, bucket: str, files: Path, caplog: pytest.LogCaptureFixture, mark: dict[str, Any]
):
    content = os.urandom(2 * PART + 77)
    put_together(obs, bucket, "dir/odd.bin", content, [PART + 50, PART, 27], **mark)

    obs.download_dir(f"obs://{bucket}/dir/", "fetched")

    assert (files / "fetched" / "dir" / "odd.bin").read_bytes() == content
    assert f"obs://{bucket}/dir/odd.bin was downloaded, but its content could not be checked" in caplog.text


def test_an_object_of_this_sdk_is_checked_with_its_recorded_part_size(
    obs: HuaweiBuckets, bucket: str, files: Path, auth: Any, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
):
    other = HuaweiBuckets(proxy.url, auth, files / "other", part_size=2 * PART)
    other.upload_file("large.bin", f"obs://{bucket}/")
    other.close()

    obs.download_file(f"obs://{bucket}/large.bin", "fetched.bin")
    proxy.rule = lambda request: Damage() if request.headers.get("range", "").startswith(f"bytes={PART}-") else None
    with pytest.raises(ObsError, match="the content received differs from the object; call again"):
        obs.download_file(f"obs://{bucket}/large.bin", "damaged.bin")

    assert (files / "fetched.bin").read_bytes() == (files / "large.bin").read_bytes()
    assert caplog.records == [] and not (files / "damaged.bin").exists()


def test_an_object_that_was_appended_to_has_no_md5(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
):
    obs.upload_file("small.txt", f"obs://{bucket}/")
    appended = {"x-amz-object-type": "Appendable", "ETag": '"0123456789abcdef0123456789abcdef"', **MARK}
    proxy.rule = lambda request: Reply(200, b"appended", appended) if request.method == "GET" else None

    obs.download_file(f"obs://{bucket}/small.txt", "fetched.txt")

    assert (files / "fetched.txt").read_text() == "appended"
    assert "its content could not be checked" in caplog.text


def test_a_large_upload_to_an_encrypted_bucket_needs_no_read_permission(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy
):
    answer = f'<CompleteMultipartUploadResult><ETag>"{"ab" * 16}"</ETag></CompleteMultipartUploadResult>'.encode()
    ended = Reply(200, answer, MARK)
    refused = Reply(403, headers=MARK)
    proxy.rule = lambda request: ended if is_end(request) else refused if request.method == "HEAD" else None

    obs.upload_file("large.bin", f"obs://{bucket}/")


def test_an_upload_aborted_by_others_is_reported(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy
):
    proxy.rule = lambda request: error_reply(404, "NoSuchUpload") if request.is_part else None

    with pytest.raises(ObsError, match="the unfinished upload was aborted meanwhile; call again"):
        obs.upload_file("large.bin", f"obs://{bucket}/")


def test_an_upload_needs_no_read_permission(obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy):
    proxy.rule = lambda request: Reply(403, headers=MARK) if request.method in ("HEAD", "GET") else None

    obs.upload_dir("data", f"obs://{bucket}/")
    obs.upload_file("large.bin", f"obs://{bucket}/")
    proxy.rule = lambda request: None

    assert obs.list(f"obs://{bucket}/large.bin")[0].size == 3 * PART + 5


def test_when_the_reply_to_a_completion_is_lost_the_object_is_checked(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy
):
    answers = iter([CutReply(), error_reply(404, "NoSuchUpload")])
    proxy.rule = lambda request: next(answers) if is_end(request) else None

    obs.upload_file("large.bin", f"obs://{bucket}/")

    assert [request.key for request in proxy.requests_of("HEAD")] == ["large.bin"]


def test_an_error_within_a_reply_with_status_200_is_an_error(
    obs: HuaweiBuckets, bucket: str, files: Path, proxy: FaultProxy
):
    inside = error_reply(200, "InternalError")
    proxy.rule = lambda request: marked(inside) if is_end(request) else None

    with pytest.raises(ObsError, match="OBS did not put its parts together; call again"):
        obs.upload_file("large.bin", f"obs://{bucket}/")
    proxy.rule = lambda request: None
    proxy.seen.clear()
    obs.upload_file("large.bin", f"obs://{bucket}/")

    assert not [request for request in proxy.seen if request.is_part]  # they were all there


def marked(answer: Reply) -> Reply:
    return Reply(answer.status, answer.body, {**answer.headers, **MARK})
