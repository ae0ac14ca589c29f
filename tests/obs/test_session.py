"""Sessions in the cloud have buckets, the calls of older versions, and upload local code once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET_KEY
from fault_proxy import FaultProxy, refusal

from modelarts import _staging
from modelarts._obs.huawei import HuaweiBuckets
from modelarts._obs.local import LocalBuckets
from modelarts.errors import ConfigError, ObsError
from modelarts.session import Session


@pytest.fixture
def session(proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Session]:
    """A session whose OBS is the server of the tests."""
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "state"))
    Session.set_endpoint("iam.example.com", proxy.url, "modelarts.example.com", "test-1")
    with Session("AKEXAMPLE", SECRET_KEY, f"project of {tmp_path.name}", "test-1") as opened:
        yield opened


def put(path: Path, text: str | bytes = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def keys(session: Session, bucket: str) -> list[str]:
    return [item.path.key for item in session.obs.list(f"obs://{bucket}", recursive=True)]


# --- buckets of a session


def test_a_session_has_the_buckets_of_its_endpoint(session: Session, proxy: FaultProxy):
    assert isinstance(session.obs, HuaweiBuckets)
    assert session.obs is session.obs
    assert repr(session.obs) == f"HuaweiBuckets({proxy.url!r})"


def test_a_known_region_has_its_own_and_an_unknown_one_says_what_is_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MODELARTS_ENDPOINT", "https://modelarts.example.com")

    assert repr(Session("A", "S", "p", "cn-east-3").obs) == "HuaweiBuckets('https://obs.cn-east-3.myhuaweicloud.com')"
    with pytest.raises(ConfigError, match="obs_endpoint is missing"):
        _ = Session("A", "S", "p", "no-where-1").obs


def test_a_closed_session_can_be_used_again(session: Session, local: Path):
    bucket = session.default_bucket()
    session.close()

    assert session.obs.exists(f"obs://{bucket}")


def test_settings_of_the_session_hold_for_buckets_too(
    session: Session, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MODELARTS_READ_TIMEOUT", "7")

    with Session("A", "S", "p", "test-1") as other:
        assert other.get_obs_client().timeout == 7


# --- older names


def test_the_default_bucket_is_named_by_region_and_project_and_made_once(session: Session, proxy: FaultProxy):
    names = {session.default_bucket() for _ in range(3)}

    (name,) = names
    assert name.startswith("modelarts-test-1-") and len(name) == len("modelarts-test-1-") + 8
    assert len(proxy.asked("PUT")) == 1


def test_older_calls_make_buckets_and_folders(session: Session, tmp_path: Path):
    bucket = session.create_bucket(bucket="older-names")

    session.create_directory(bucket=bucket, directory="/dir1/dir2/")

    assert bucket == "older-names"
    assert session.obs.exists("obs://older-names/dir1/dir2/")


@pytest.mark.parametrize("form", ["/{}/dir1/", "{}/dir1", "obs://{}/dir1/"])
def test_older_calls_upload_a_file_several_or_the_content_of_a_folder(session: Session, local: Path, form: str):
    bucket = session.default_bucket()
    session.obs.delete(f"obs://{bucket}", recursive=True)
    put(local / "one.txt")
    put(local / "code" / "deep" / "a.txt")

    session.upload_data(bucket_path=form.format(bucket), path="one.txt")
    session.upload_data(bucket_path=form.format(bucket), path=[put(local / "two.txt"), str(put(local / "three.txt"))])
    session.upload_data(bucket_path=form.format(bucket), path="code")

    assert keys(session, bucket) == ["dir1/deep/a.txt", "dir1/one.txt", "dir1/three.txt", "dir1/two.txt"]


@pytest.mark.parametrize("form", ["/{}", "{}", "obs://{}"])
def test_older_calls_download_to_a_name_to_a_folder_or_a_whole_folder(session: Session, local: Path, form: str):
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


def test_older_calls_refuse_what_is_no_path(session: Session):
    with pytest.raises(ObsError, match=r"OBS path 'bucket/\.\./x'") as caught:
        session.upload_data("bucket/../x", ".")

    assert caught.value.error_code == "ModelArts.0104"


def test_the_client_of_obs_is_one_of_the_package_and_of_the_cloud_only(session: Session, tmp_path: Path):
    local = Session.__new__(Session)
    local._buckets = LocalBuckets(tmp_path)

    assert type(session.get_obs_client()).__name__ == "ObsClient"
    with pytest.raises(ConfigError, match="a local session has no OBS client"):
        local.get_obs_client()


# --- code that goes along with a job


@pytest.fixture
def sent(session: Session) -> Any:
    """Uploads a path like `fit` does; gives back what was announced, and the keys that hold it."""

    def send(path: Any) -> tuple[list[str], list[str]]:
        said: list[str] = []
        _staging.send(session, path, said.append)
        bucket = session.default_bucket()
        place = _staging.target(path, bucket)
        return said, [key for key in keys(session, bucket) if key.startswith(place.key)]

    return send


def below(found: list[str]) -> list[str]:
    """Keys without the part that depends on the content."""
    return sorted(key.split("/", 2)[2] for key in found)


def test_local_code_is_sent_once_to_a_place_that_depends_on_its_content(
    sent: Any, session: Session, local: Path, proxy: FaultProxy
):
    put(local / "src" / "train.py", "1")
    put(local / "src" / "package" / "net.py", "2")
    said, found = sent("src")
    proxy.seen.clear()

    again, _ = sent("src")
    os.utime(local / "src" / "train.py", (1, 1))
    touched, _ = sent("src")

    assert below(found) == ["src/package/net.py", "src/train.py"]
    assert said == [f"uploading src (2 files, 0.0 MB) to obs://{session.default_bucket()}/{found[0].rpartition('package')[0]}"]
    assert again == touched == [] and proxy.asked("PUT") == []
    put(local / "src" / "train.py", "changed")
    _, changed = sent("src")
    assert changed[1] != found[1] and below(changed) == below(found)


def test_a_single_file_is_sent_too(sent: Any, local: Path):
    said, found = sent(put(local / "data.csv"))

    assert below(found) == ["data.csv"] and "1 files" in said[0]


def test_what_is_no_code_stays_here(sent: Any, local: Path):
    for name in (".git/HEAD", "__pycache__/a.pyc", "deep/__pycache__/a.pyc", ".ipynb_checkpoints/a.ipynb", ".venv/x"):
        put(local / "src" / name)
    put(local / "src" / "train.py")

    assert below(sent("src")[1]) == ["src/train.py"]


def test_the_ignore_file_is_read_like_a_gitignore(sent: Any, local: Path):
    put(local / "src" / ".modelartsignore", "# comments\n\n*.ckpt\n!best.ckpt\n/data/\nlogs/**/old\nnotes.txt\n数据/\n")
    kept = ["train.py", "best.ckpt", "deep/data/a.csv", "deep/best.ckpt", "logs/new/a.log", ".hidden"]
    gone = ["a.ckpt", "deep/b.ckpt", "data/a.csv", "data/deep/b.csv", "logs/new/old/a.log", "deep/notes.txt", "数据/a"]
    for name in kept + gone:
        put(local / "src" / name, name)

    assert below(sent("src")[1]) == sorted(f"src/{name}" for name in kept)


def test_what_is_left_out_does_not_change_the_place(sent: Any, local: Path):
    put(local / "src" / "train.py")
    put(local / "src" / ".modelartsignore", "logs/\n")
    before = sent("src")[1]

    put(local / "src" / "logs" / "a.log")
    put(local / "src" / "__pycache__" / "train.pyc")

    assert sent("src") == ([], before)


def test_too_much_code_is_refused_with_its_largest_files_and_how_to_leave_them_out(
    sent: Any, session: Session, local: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_staging, "CODE_LIMIT", 1_000_000)
    put(local / "src" / "train.py")
    put(local / "src" / "data" / "large.bin", bytes(900_000))
    put(local / "src" / "data" / "larger.bin", bytes(1_200_000))

    with pytest.raises(ObsError) as caught:
        _staging.send(session, "src", lambda text: None)

    first, *named, last = str(caught.value).splitlines()
    assert first.endswith("is not uploaded: it has 2.1 MB in 3 files, and code may have 1 MB. Its largest files:")
    assert named == ["  - src/data/larger.bin: 1.2 MB", "  - src/data/large.bin: 0.9 MB", "  - src/train.py: 0.0 MB"]
    assert f"{local}/src/.modelartsignore" in last and "session.obs.upload_dir" in last
    assert caught.value.error_code == "ModelArts.0104" and proxy.seen == []
    put(local / "src" / ".modelartsignore", "data/larger.bin")
    assert below(sent("src")[1]) == ["src/data/large.bin", "src/train.py"]


def test_data_may_be_larger_than_code(sent: Any, local: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_staging, "CODE_LIMIT", 1000)
    put(local / "data" / "rows.csv", bytes(2000))

    assert below(sent("data")[1]) == ["data/rows.csv"]


def test_what_was_cut_off_is_not_taken_for_whole_and_goes_on(
    sent: Any, session: Session, local: Path, proxy: FaultProxy
):
    for number in range(10):
        put(local / "src" / f"{number}.py", str(number))
    proxy.rule = lambda request: refusal(403, "AccessDenied") if request.key.endswith("/9.py") else None
    with pytest.raises(ObsError, match="AccessDenied"):
        _staging.send(session, "src", lambda text: None)
    proxy.rule = lambda request: None
    proxy.seen.clear()

    _, found = sent("src")

    assert len(found) == 10
    assert len([request for request in proxy.asked("PUT") if request.key.endswith(".py")]) < 10


def test_code_that_changes_while_it_is_sent_is_not_taken_for_whole(
    sent: Any, session: Session, local: Path, proxy: FaultProxy
):
    put(local / "src" / "train.py", "1")

    def rule(request: Any) -> None:
        if request.key.endswith("/train.py"):
            put(local / "src" / "train.py", "another")

    proxy.rule = rule
    with pytest.raises(ObsError, match="src changed while it was uploaded; call again"):
        _staging.send(session, "src", lambda text: None)
    proxy.rule = lambda request: None

    said, found = sent("src")

    assert len(said) == 1 and len(found) == 1
