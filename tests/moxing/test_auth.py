"""Which buckets are used: rows 95 to 97, keys from arguments and the environment, and sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelarts import moxing
from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.local.buckets import LocalBuckets
from modelarts.session import Session
from tests.moxing.conftest import World
from tests.support.files import put

mox = moxing.file


def test_row_95_later_calls_set_single_values(s3_port: int, cloud: HuaweiBuckets):
    cloud.create_bucket("bucket-of-95")

    mox.set_auth(retry=20)

    assert mox.exists("obs://bucket-of-95")


def test_row_96_arguments_without_effect(cloud: HuaweiBuckets, caplog: pytest.LogCaptureFixture):
    mox.set_auth(timeout_config={"getObjectMetadata": 10}, negotiation=False, obs_client_log=False, retry_wait=1)
    assert caplog.text == ""

    mox.set_auth(colour="red")
    assert "set_auth ignores colour" in caplog.text


@pytest.mark.parametrize("call", [
    lambda: mox.exists("obs://b/k"), lambda: mox.read("s3://b/k"), lambda: mox.copy_parallel("obs://b/d", "N"),
    lambda: mox.File("obs://b/k", "w"),
])  # fmt: skip
def test_row_97_no_endpoint(call):
    with pytest.raises(RuntimeError, match=r"^server is not set correctly$"):
        call()


def test_local_paths_need_no_endpoint(local: Path):
    mox.write("a/../x.txt" if (local / "a").mkdir() else "x.txt", "x")

    assert mox.read(local / "x.txt") == "x"


@pytest.mark.parametrize(("names", "endpoint"), [
    (("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"), "127.0.0.1:{}"),
    (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "http://127.0.0.1:{}"),
])  # fmt: skip
def test_the_environment_is_read_late(
    s3_port: int, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str], endpoint: str
):
    with pytest.raises(RuntimeError, match="server is not set correctly"):
        mox.exists("obs://bucket")
    for name in names:
        monkeypatch.setenv(name, "text")
    monkeypatch.setenv("S3_ENDPOINT", endpoint.format(s3_port))
    monkeypatch.setenv("S3_USE_HTTPS", "0")

    assert not mox.exists("obs://no-such-bucket/k")


def test_a_session_that_is_given(s3_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_OBS_ENDPOINT", f"http://127.0.0.1:{s3_port}")
    with Session("AK", "the secret", "project", "cn-north-4") as session:
        session.obs.create_bucket("bucket-of-session")
        mox.set_auth(session=session)
        mox.write("obs://bucket-of-session/a/b.txt", "text")

        assert [item.url for item in session.obs.list("obs://bucket-of-session/a")] == [
            "obs://bucket-of-session/a/b.txt"
        ]


def test_the_default_session(s3_port: int, monkeypatch: pytest.MonkeyPatch):
    for name, value in {
        "MODELARTS_OBS_ENDPOINT": f"http://127.0.0.1:{s3_port}", "HUAWEICLOUD_SDK_AK": "AK",
        "HUAWEICLOUD_SDK_SK": "the secret", "HUAWEICLOUD_SDK_REGION": "cn-north-4", "PROJECT_ID": "project",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    Session().obs.create_bucket("bucket-of-default")

    mox.make_dirs("obs://bucket-of-default/new")

    assert mox.list_directory("obs://bucket-of-default") == ["new"]


def test_keys_of_the_cloud_do_not_lead_away_from_the_local_service(folders: LocalBuckets, tmp_path: Path):
    folders.create_bucket("bucket")

    mox.set_auth(ak="A", sk="S", server="obs.cn-north-4.myhuaweicloud.com", is_secure=False)
    mox.write("obs://bucket/x", "text")

    assert put(folders.root / "bucket" / "y", "y").with_name("x").read_text(encoding="utf-8") == "text"


def test_keys_are_not_shown(cloud: HuaweiBuckets, w: World):
    with pytest.raises(OSError) as raised:
        w.file.read(f"{w.b}/no")

    assert "the secret" not in f"{raised.value!r}{raised.value.resp!r}{raised.value}"
