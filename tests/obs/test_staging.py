"""Local code and data are uploaded before the call that needs them: once, completely, and as they were read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
import responses
from conftest import SECRET_KEY
from fault_proxy import FaultProxy, Request, error_reply

from modelarts.environment import CondaDependencies, Environment
from modelarts.errors import ArgumentError, ObsError
from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support.cloud import ENGINES
from tests.support.files import put

API = "https://modelarts.example.com/v1/project"


class User:
    """Saves configurations with local code and data, and lists the bucket."""

    def __init__(self, session: Session, cloud: responses.RequestsMock, capsys: pytest.CaptureFixture[str]) -> None:
        self.session = session
        self.cloud = cloud
        self.capsys = capsys
        self.count = 0

    def estimator(self, code_dir: Any, boot_file: Any = "train.py") -> Estimator:
        return Estimator(
            self.session, framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6", code_dir=code_dir,
            boot_file=boot_file, output_path="/bucket/output/", pool_id="pool1", train_instance_count=1,
        )  # fmt: skip

    def send(self, code_dir: Any, inputs: Any = None, boot_file: Any = "train.py") -> tuple[str, list[str]]:
        """What was printed, and the objects at the place that the configuration names: data, else code."""
        self.capsys.readouterr()
        self.count += 1
        self.estimator(code_dir, boot_file).create_job_configs(config_name=f"c{self.count}", inputs=inputs)
        body = json.loads(self.cloud.calls[-1].request.body or "")
        place = body["app_url" if inputs is None else "data_url"]
        return self.capsys.readouterr().out, [item.url for item in self.session.obs.list(place, recursive=True)]

    @property
    def saved(self) -> int:
        return len([call for call in self.cloud.calls if call.request.method == "POST"])


@pytest.fixture
def user(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[User]:
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.setenv("MODELARTS_HOME", str(tmp_path / "state"))
    Session.set_endpoint("iam.example.com", proxy.url, "modelarts.example.com", "test-1")
    with responses.RequestsMock(assert_all_requests_are_fired=False) as cloud:
        cloud.add_passthru(proxy.url)
        cloud.add("GET", f"{API}/job/ai-engines", json={"is_success": True, "engines": ENGINES})
        cloud.add("POST", f"{API}/training-job-configs", json={"is_success": True})
        with Session("AKEXAMPLE", SECRET_KEY, "project", "test-1") as session:
            session.obs.delete(f"obs://{session.default_bucket()}/", recursive=True)
            proxy.seen.clear()
            yield User(session, cloud, capsys)


def below(urls: list[str]) -> list[str]:
    """The path below the part that depends on the content."""
    return sorted(url.split("/", 5)[5] for url in urls)


def stored(proxy: FaultProxy) -> list[str]:
    """The uploaded objects, without the marks of complete uploads."""
    return [request.key for request in proxy.requests_of("PUT") if "/" in request.key and "complete" not in request.key]


# --- once


def test_local_code_is_uploaded_once_to_a_path_that_depends_on_its_content(user: User, local: Path, proxy: FaultProxy):
    put(local / "src" / "train.py", "1")
    put(local / "src" / "package" / "net.py", "2")
    said, found = user.send("src")
    place = found[0].partition("package")[0]
    assert below(found) == ["src/package/net.py", "src/train.py"]
    assert said == f"uploading src (2 files, 2 bytes) to {place}\n"

    proxy.seen.clear()
    again, _ = user.send("src")
    os.utime(local / "src" / "train.py", (1, 1))
    touched, _ = user.send("src")

    assert again == touched == ""
    assert stored(proxy) == []
    put(local / "src" / "train.py", "changed")
    _, changed = user.send("src")
    assert changed[1] != found[1] and below(changed) == below(found)


def test_packages_of_pip_travel_with_local_code_as_its_requirements(user: User, local: Path, proxy: FaultProxy):
    put(local / "src" / "train.py")
    wanted = Environment("mine", CondaDependencies.create(pip_packages=["requests", "Pillow>=8.0.1"]))

    def sent() -> tuple[str, str]:
        user.capsys.readouterr()
        estimator = user.estimator("src")
        estimator.environment = wanted
        user.count += 1
        estimator.create_job_configs(config_name=f"c{user.count}")
        body = json.loads(user.cloud.calls[-1].request.body or "")
        assert "environment" not in body
        file = local / f"sent{user.count}.txt"
        user.session.obs.download_file(f"obs:/{body['app_url']}pip-requirements.txt", str(file))
        return file.read_text(), user.capsys.readouterr().out

    assert sent()[0] == "requests\nPillow>=8.0.1\n"
    uploads = len(stored(proxy))
    assert sent() == ("requests\nPillow>=8.0.1\n", "")
    assert len(stored(proxy)) == uploads
    put(local / "src" / "pip-requirements.txt", "numpy")
    assert sent()[0] == "numpy\nrequests\nPillow>=8.0.1\n"
    assert (local / "src" / "pip-requirements.txt").read_text() == "numpy"


def test_what_the_cloud_cannot_install_is_refused(user: User, local: Path, proxy: FaultProxy):
    put(local / "src" / "train.py")
    estimator = user.estimator("/bucket/src/")
    estimator.environment = Environment("mine", CondaDependencies.create(pip_packages=["requests"]))
    with pytest.raises(ArgumentError) as of_code:
        estimator.create_job_configs()
    estimator.code_dir = "src"
    packages = {"channels": ["c"], "conda_packages": ["python=3.6.2"], "pip_packages": ["/data/a.whl"]}
    estimator.environment.conda = CondaDependencies.create(**packages)
    with pytest.raises(ArgumentError) as of_packages:
        estimator.create_job_configs()

    (fault,) = of_code.value.faults
    assert fault.rule.startswith("its packages travel with local code; put a pip-requirements.txt into obs://bucket/")
    assert [fault.argument for fault in of_packages.value.faults] == [
        "environment.conda.conda_packages", "environment.conda.channels", "environment.conda.pip_packages",
    ]  # fmt: skip
    assert "the v1 API of the cloud knows no conda" in str(of_packages.value)
    assert proxy.requests_of("PUT") == []


def test_a_payload_creates_no_bucket_and_uploads_nothing(user: User, local: Path, proxy: FaultProxy):
    put(local / "src" / "train.py")

    body = user.estimator("src").payload("create_training_job_config", config_name="c")

    assert body["app_url"].startswith("/modelarts-test-1-")
    assert proxy.requests_of("PUT") == []


def test_unchanged_code_costs_one_list_request(user: User, local: Path, proxy: FaultProxy):
    put(local / "src" / "train.py")
    user.send("src")
    proxy.seen.clear()

    user.estimator("src").create_job_configs(config_name="again")

    asked = [request for request in proxy.seen if request.method != "HEAD"]  # whether the bucket is there
    assert len(asked) == 1 and asked[0].method == "GET" and "prefix=uploads" in asked[0].target


def test_a_file_as_data_is_uploaded_under_its_name(user: User, local: Path):
    put(local / "src" / "train.py")

    said, found = user.send("src", put(local / "data.csv", bytes(1500)))

    assert below(found) == ["data.csv"]
    assert "data.csv (1 file, 1.5 kB) to" in said.splitlines()[1]


def test_the_same_content_under_another_name_is_uploaded_too(user: User, local: Path):
    put(local / "src" / "train.py")
    shutil.copytree(local / "src", local / "code")

    assert below(user.send("src")[1]) == ["src/train.py"]
    assert below(user.send("code")[1]) == ["code/train.py"]


@pytest.mark.parametrize("file_first", [True, False])
def test_a_file_and_a_folder_with_only_this_file_have_different_paths(user: User, local: Path, file_first: bool):
    put(local / "src" / "train.py")
    put(local / "data" / "a.csv")
    put(local / "a.csv" / "a.csv")  # its path in the bucket ends like that of the file

    for path in ("data/a.csv", "data", "a.csv") if file_first else ("a.csv", "data", "data/a.csv"):
        assert below(user.send("src", path)[1]) == [{"data": "data/a.csv", "a.csv": "a.csv/a.csv"}.get(path, "a.csv")]


@pytest.mark.parametrize("lost", ["src/", "src/package/net.py"])
def test_files_deleted_from_the_bucket_are_uploaded_again(user: User, local: Path, proxy: FaultProxy, lost: str):
    put(local / "src" / "train.py")
    put(local / "src" / "package" / "net.py")
    found = user.send("src")[1]
    user.session.obs.delete(found[0].partition("src/")[0] + lost, recursive=True)
    proxy.seen.clear()

    said, again = user.send("src")

    assert said.startswith("uploading src") and again == found
    assert all(key.split("/", 2)[2].startswith(lost) for key in stored(proxy))


def test_an_interrupted_upload_is_not_complete_and_is_resumed(user: User, local: Path, proxy: FaultProxy):
    for number in range(10):
        put(local / "src" / f"{number}.py", str(number))
    proxy.rule = lambda request: error_reply(403, "AccessDenied") if request.key.endswith("/9.py") else None
    with pytest.raises(ObsError, match="AccessDenied"):
        user.send("src", boot_file="0.py")
    assert user.saved == 0
    proxy.rule = lambda request: None
    proxy.seen.clear()

    _, found = user.send("src", boot_file="0.py")

    assert len(found) == 10 and len(stored(proxy)) < 10


def test_inputs_of_the_estimator_are_uploaded_too(user: User, local: Path):
    put(local / "src" / "train.py")
    put(local / "data" / "a.csv")
    estimator = user.estimator("src")
    estimator.data = {"inputs": "data"}

    estimator.create_job_configs(config_name="with_data")

    body = json.loads(user.cloud.calls[-1].request.body or "")
    assert user.session.obs.exists(f"obs:/{body['data_url']}a.csv")


# --- what is sent is what was read


def when(proxy: FaultProxy, condition: Callable[[Request], bool], act: Callable[[], None]) -> None:
    """Do something once, before the first request of a kind is forwarded."""
    done: list[bool] = []

    def rule(request: Request) -> None:
        if condition(request) and not done:
            done.append(True)
            act()

    proxy.rule = rule


def asks_what_is_there(request: Request) -> bool:
    return request.method == "GET" and "prefix=uploads" in request.target


def sends_the_script(request: Request) -> bool:
    return request.method == "PUT" and request.key.endswith("/train.py")


CHANGES = {
    "changed": lambda file: put(file, "2"),
    "removed": lambda file: file.unlink(),
    "replaced": lambda file: put(file.with_name("new"), "2").replace(file),
}


@pytest.mark.parametrize("moment", [asks_what_is_there, sends_the_script])
@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_file_that_changes_after_it_was_read_is_an_error(
    user: User, local: Path, proxy: FaultProxy, moment: Any, change: Callable[[Path], None]
):
    script = put(local / "src" / "train.py", "1")
    put(local / "src" / "other.py")
    when(proxy, moment, lambda: change(script))

    with pytest.raises(ObsError, match=rf"^src changed while it was uploaded: {script}; call again"):
        user.send("src")

    assert user.saved == 0
    assert moment is sends_the_script or stored(proxy) == []
    put(script, "2")
    _, found = user.send("src")
    assert user.session.obs.list(found[1])[0].size == 1 and below(found) == ["src/other.py", "src/train.py"]


def test_a_call_reads_its_code_once(user: User, local: Path, proxy: FaultProxy):
    put(local / "src" / "train.py", "1")
    when(proxy, asks_what_is_there, lambda: put(local / "src" / "added.py"))

    _, found = user.send("src")

    assert below(found) == ["src/train.py"]


# --- what begins with a slash


def test_an_absolute_path_as_text_needs_an_existing_bucket(user: User, local: Path):
    put(local / "src" / "train.py")
    bucket = local.parts[1]

    with pytest.raises(ArgumentError) as caught:
        user.send(str(local / "src"), str(local / "src" / "train.py"))

    code, data = caught.value.faults
    assert code.argument == "code_dir" and data.argument == "inputs"
    assert f"no bucket {bucket!r}" in code.rule and f"Path('{local}/src')" in code.rule
    assert f"obs:/{local}/src for a path in a bucket" in code.rule
    assert user.saved == 0
    user.session.create_bucket(bucket)
    user.session.obs.upload_dir("src", f"obs:/{local}/")
    assert user.send(str(local / "src"))[0] == ""
    user.session.obs.delete(f"obs://{bucket}", recursive=True)
    user.session.obs.delete_bucket(bucket)
    assert user.estimator(f"obs:/{local}/src").payload("create_training_job_config", config_name="c")


def test_a_bucket_of_another_account_does_not_count(user: User, local: Path, proxy: FaultProxy):
    put(local / "src" / "train.py")
    proxy.rule = lambda request: error_reply(403, "AccessDenied")

    with pytest.raises(ArgumentError, match=r"code_dir='/.*the session has no bucket"):
        user.estimator(str(local / "src")).payload("create_training_job_config", config_name="c")


# --- before anything is sent


def test_a_call_with_other_errors_reads_and_uploads_nothing(
    user: User, local: Path, proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
):
    put(local / "src" / "train.py")
    proxy.seen.clear()

    with pytest.raises(ArgumentError) as caught:
        user.estimator("src", "tain.py").create_job_configs(config_name="not a name")

    assert [fault.argument for fault in caught.value.faults] == ["config_name", "boot_file"]
    assert proxy.seen == [] and capsys.readouterr().out == ""
