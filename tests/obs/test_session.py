"""Cloud sessions have buckets, and the calls of older versions of the documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET_KEY
from fault_proxy import FaultProxy

from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts.errors import ConfigError, ObsError
from modelarts.session import Session
from tests.support.files import put, tree


@pytest.fixture
def session(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """A session that uses the S3 server of the tests."""
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "state"))
    Session.set_endpoint("iam.example.com", proxy.url, "modelarts.example.com", "test-1")
    with Session("AKEXAMPLE", SECRET_KEY, f"project of {tmp_path.name}", "test-1") as opened:
        yield opened


def keys(session: Session, bucket: str) -> list[str]:
    return [item.path.key for item in session.obs.list(f"obs://{bucket}", recursive=True)]


# --- buckets of a session


def test_a_session_uses_the_obs_endpoint_of_its_settings(session: Session, proxy: FaultProxy):
    assert isinstance(session.obs, HuaweiBuckets)
    assert session.obs is session.obs
    assert repr(session.obs) == f"HuaweiBuckets({proxy.url!r})"


def test_known_regions_have_an_obs_endpoint_and_others_name_the_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_ENDPOINT", "https://modelarts.example.com")

    assert repr(Session("A", "S", "p", "cn-east-3").obs) == "HuaweiBuckets('https://obs.cn-east-3.myhuaweicloud.com')"
    with pytest.raises(ConfigError, match="obs_endpoint is missing"):
        _ = Session("A", "S", "p", "no-where-1").obs


def test_a_closed_session_can_be_used_again(session: Session, local: Path):
    bucket = session.default_bucket()
    session.close()

    assert session.obs.exists(f"obs://{bucket}")


def test_settings_of_the_session_apply_to_buckets(
    session: Session, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "7")

    with Session("A", "S", "p", "test-1") as other:
        assert other.get_obs_client().timeout == 7


# --- older names


def test_the_default_bucket_is_named_by_region_and_project_and_created_once(session: Session, proxy: FaultProxy):
    names = {session.default_bucket() for _ in range(3)}

    (name,) = names
    assert name.startswith("modelarts-test-1-") and len(name) == len("modelarts-test-1-") + 8
    assert len(proxy.requests_of("PUT")) == 1


def test_legacy_calls_create_buckets_and_folders(session: Session, tmp_path: Path):
    bucket = session.create_bucket(bucket="older-names")

    session.create_directory(bucket=bucket, directory="/dir1/dir2/")

    assert bucket == "older-names"
    assert session.obs.exists("obs://older-names/dir1/dir2/")


@pytest.mark.parametrize("form", ["/{}/dir1/", "{}/dir1", "obs://{}/dir1/"])
def test_legacy_calls_upload_a_file_several_files_or_the_content_of_a_folder(session: Session, local: Path, form: str):
    bucket = session.default_bucket()
    session.obs.delete(f"obs://{bucket}", recursive=True)
    put(local / "one.txt")
    put(local / "code" / "deep" / "a.txt")

    session.upload_data(bucket_path=form.format(bucket), path="one.txt")
    session.upload_data(bucket_path=form.format(bucket), path=[put(local / "two.txt"), str(put(local / "three.txt"))])
    session.upload_data(bucket_path=form.format(bucket), path="code")

    assert keys(session, bucket) == ["dir1/deep/a.txt", "dir1/one.txt", "dir1/three.txt", "dir1/two.txt"]


@pytest.mark.parametrize("form", ["/{}", "{}", "obs://{}"])
def test_legacy_calls_download_to_a_file_to_a_folder_or_a_folder(session: Session, local: Path, form: str):
    bucket = session.default_bucket()
    session.obs.delete(f"obs://{bucket}", recursive=True)
    put(local / "data" / "deep" / "a.txt")
    session.obs.upload_dir("data", f"obs://{bucket}/")
    (local / "there").mkdir()
    root = form.format(bucket)

    session.download_data(bucket_path=f"{root}/data/deep/a.txt", path="there/renamed.txt")
    session.download_data(bucket_path=f"{root}/data/deep/a.txt", path="there/")
    session.download_data(bucket_path=f"{root}/data/", path="with slash")
    session.download_data(bucket_path=f"{root}/data", path="without")

    assert tree(local / "there") == {"renamed.txt": "text", "a.txt": "text"}
    assert tree(local / "with slash") == tree(local / "without") == {"deep/a.txt": "text"}


def test_legacy_calls_accept_the_url_of_a_bucket(session: Session):
    assert session.create_bucket("obs://older-names/") == "older-names"
    session.create_directory("obs://older-names", "dir3")

    assert session.obs.exists("obs://older-names/dir3/")


@pytest.mark.parametrize(
    ("bucket", "directory", "told"),
    [
        ("older-names", None, "OBS path None: write it as text"),
        (None, "dir", "bucket name None: write it as text"),
        ("older-names/dir", "dir", "write the name of a bucket, without a key"),
        ("older-names", "a//b", "between two slashes there must be a name"),
    ],
)
def test_legacy_calls_reject_invalid_folders(session: Session, bucket: Any, directory: Any, told: str):
    with pytest.raises(ObsError, match=told):
        session.create_directory(bucket, directory)


def test_legacy_calls_report_what_does_not_exist(session: Session):
    bucket = session.default_bucket()

    with pytest.raises(ObsError, match=f"download_data: there is no folder obs://{bucket}/nowhere/"):
        session.download_data(f"/{bucket}/nowhere", ".")


def test_legacy_calls_reject_invalid_paths(session: Session):
    with pytest.raises(ObsError, match=r"OBS path 'bucket/\.\./x'") as caught:
        session.upload_data("bucket/../x", ".")

    assert caught.value.error_code == "ModelArts.0104"


def test_a_session_has_an_obs_client(session: Session):
    assert type(session.get_obs_client()).__name__ == "ObsClient"
