"""The scripts in docs/samples run, return the documented members, and cover the documented surface."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
import responses

from modelarts.environment import CondaDependencies, Environment
from modelarts.errors import AuthError, InvalidArgument, NotFound
from modelarts.estimator import Estimator, VisualizationJob
from modelarts.job import TrainingJob
from modelarts.local import daemon
from modelarts.session import Session
from tests.support.jobs import LIGHT_TENSORBOARD, until
from tests.support.processes import end_service

FOLDER = Path(__file__).parents[1] / "docs" / "samples"
FILES = sorted(FOLDER.glob("modelarts_*.py"))
SURFACE = json.loads((Path(__file__).parent / "contract" / "sdk_surface.json").read_text(encoding="utf-8"))
ELSEWHERE = {"modelarts_04_0223"}  # debugging a model: a page of model management

RUNNING, COMPLETED, RUN_FAILED, KILLED, NO_SUCH_CODE = 8, 10, 11, 12, 16
FAILURE = {"error_code", "error_msg"}
PARAMETERS = [{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}]
DATASET = ("4AZNvFkN7KYr5EdhFkH", "UOF9BIeSGArwVt0oI6T")
COMMAND = (
    "bash -x /home/work/run_train.sh python /home/work/user-job-dir/app/mnist/mnist_softmax.py "
    "--data_url /home/work/user-job-dir/app/mnist_data"
)

Run = Callable[[str], list[Any]]


def load(name: str) -> Any:
    """A module of the folder that is not a sample."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as dataclasses want it
    spec.loader.exec_module(module)
    return module


INDEX = load("_index")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of one service for all samples; TensorBoards are stopped at the end."""
    place = tmp_path_factory.mktemp("samples") / "state"
    yield place
    with Session.local(place) as session:
        for row in VisualizationJob.iter_visualization_jobs(session):
            VisualizationJob(session, row.job_id).delete_visualization_job()
        until(lambda: not list(VisualizationJob.iter_visualization_jobs(session)), 60)
    end_service(place)


@pytest.fixture
def local(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a user of that service; regions that a script adds are removed."""
    monkeypatch.setenv("MODELARTS_MODE", "local")
    monkeypatch.setenv("MODELARTS_HOME", str(place))
    monkeypatch.setenv("PYTHONPATH", str(LIGHT_TENSORBOARD), prepend=os.pathsep)
    monkeypatch.setattr(Session, "_endpoints", {})
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "_setup", raising=False)
    return place


@pytest.fixture
def tensorboard_stays(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page after this one uses the TensorBoard that this one starts, which saves a start."""
    monkeypatch.setattr(importlib.import_module("_setup").Setup, "close", lambda setup: None)


@pytest.fixture
def run(local: Path) -> Run:
    """Runs the script of a page; returns the result of each of its samples."""

    def run_page(page: str) -> list[Any]:
        (file,) = FOLDER.glob(f"modelarts_04_{page}_*.py")
        results: list[Any] = runpy.run_path(str(file), run_name="__main__")["results"]
        assert len(results) == len(INDEX.read(file).parts)
        return results

    return run_page


@pytest.fixture
def in_the_cloud(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of scripts are used."""
    monkeypatch.setenv("MODELARTS_MODE", "cloud")


@pytest.fixture
def service(local: Path) -> Iterator[Session]:
    with Session() as session:
        yield session


def succeeded(results: list[Any]) -> bool:
    """Whether every response is a success without the members of failures."""
    return all(result["is_success"] is True and not FAILURE & set(result) for result in results)


# --- sessions


def test_modelarts_04_0123(run: Run, place: Path) -> None:
    (session,) = run("0123")

    assert isinstance(session, Session)
    address = daemon.find(place)
    assert address is not None and session.host == address.url


def test_modelarts_04_0154(run: Run, in_the_cloud: None) -> None:
    url = "https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens"
    with responses.RequestsMock() as iam:
        iam.post(url, json={"token": {"project": {"id": "p"}}}, status=201, headers={"X-Subject-Token": "t"})
        sessions = run("0154")
        users = [json.loads(call.request.body)["auth"]["identity"]["password"]["user"] for call in iam.calls]
    with responses.RequestsMock() as iam:
        iam.post(url, json={"error": {"code": 401, "message": "The username or password is wrong."}}, status=401)
        *refusals, given = run("0154")

    assert [session.project_id for session in sessions] == ["p", "p", "my-project-id"]
    assert [(user["domain"]["name"], user["name"]) for user in users] == [
        ("my-account", "my-account"), ("my-account", "my-user")
    ]  # fmt: skip
    assert [type(refusal) for refusal in refusals] == [AuthError] * 2
    assert not any("my-password" in str(refusal) for refusal in refusals)
    assert given.host == "https://modelarts.eu-de.example.com"


def test_modelarts_04_0155(run: Run, in_the_cloud: None) -> None:
    known, given = run("0155")

    assert known.host == "https://modelarts.cn-north-4.myhuaweicloud.com"
    assert given.host == "https://modelarts.eu-de.example.com"
    assert {session.project_id for session in (known, given)} == {"my-project-id"}


def test_modelarts_04_0300(run: Run, in_the_cloud: None) -> None:
    assert run("0300") == [None]

    session = Session(access_key="a", secret_key="s", project_id="p", region_name="eu-nl")
    assert session.host == "https://modelarts.eu-nl.example.com"


# --- buckets


def bucket(place: Path) -> Path:
    return place / "local" / "buckets" / "bucket-name"


def test_modelarts_04_0218(run: Run, place: Path) -> None:
    assert run("0218") == [None]

    assert (bucket(place) / "dir1" / "file1.txt").read_text() == "first\n"


def test_modelarts_04_0219(run: Run, place: Path) -> None:
    assert run("0219") == [None]

    folder = bucket(place) / "dir1" / "ma-user"
    assert (folder / "file1.txt").read_text() == "first\n"
    assert (folder / "file2.txt").read_text() == "second\n"


def test_modelarts_04_0220(run: Run, place: Path) -> None:
    changed = place / "samples" / "home" / "ma-user" / "file1.txt"
    assert run("0220") == [None]
    written = changed.stat().st_ino

    assert run("0220") == [None]
    assert changed.read_text() == "first\n"
    assert changed.stat().st_ino != written  # a file of its own each time: it came from the bucket


def test_modelarts_04_0221(run: Run, place: Path) -> None:
    assert run("0221") == [None, None]

    user = place / "samples" / "home" / "ma-user"
    assert (user / "dir1" / "file1.txt").read_text() == "first\n"
    assert (user / "work" / "dir1" / "file1.txt").read_text() == "first\n"


# --- training jobs


def test_modelarts_04_0222(run: Run) -> None:
    packages = CondaDependencies(pip_packages=["tensorflow==1.13.1"], conda_packages=["python=3.6.2"])

    for environment, refusal in run("0222"):
        assert isinstance(environment, Environment)
        assert (environment.name, environment.conda) == ("tensorflow_mlp_mnist", packages)
        assert isinstance(refusal, InvalidArgument)
        assert "conda_packages=['python=3.6.2'] need conda, mamba or micromamba" in str(refusal)


def assert_the_four_trainings(infos: list[Any], flavor: str) -> None:
    """The common results of pages 0131 and 0168: settings, and the end of each kind of job."""
    assert succeeded(infos)
    assert [info["status"] for info in infos] == [COMPLETED, COMPLETED, RUN_FAILED, NO_SUCH_CODE]
    for info in infos:
        assert info["parameter"] == PARAMETERS
        assert (info["log_url"], info["train_url"]) == ("/bucket/log/", "/bucket/output/")
        assert (info["spec_code"], info["worker_server_num"]) == (flavor, 1)
    for info in infos[:2]:
        assert (info["engine_name"], info["engine_version"]) == ("PyTorch", "PyTorch-1.0.0-python3.6")
        assert (info["app_url"], info["boot_file_url"]) == ("/bucket/src/", "/bucket/src/pytorch_sentiment.py")
        assert 0 < info["model_metric_list"]["total_metric"]["total_metric_values"]["accuracy"] <= 1
        assert info["duration"] > 0
    assert infos[2]["user_image_url"] == "100.125.5.235:20202/jobmng/cpu-base:1.0"
    assert infos[2]["user_command"] == COMMAND
    assert infos[3]["model_id"] == 1
    assert "Faster_RCNN_ResNet_v1_50" in infos[3]["error_result"]


def test_modelarts_04_0131(run: Run, place: Path) -> None:
    infos = run("0131")

    assert_the_four_trainings(infos, "modelarts.vm.cpu.2u")
    assert {(info["job_name"], info["job_desc"]) for info in infos} == {
        ("my_training_job", "pytorch-sentiment with ModelArts SDK")
    }
    data = [(info["data_url"], info["dataset_id"], info["dataset_version_id"]) for info in infos]
    stored = ("/bucket/data/train/", None, None)
    assert data == [stored, ("", *DATASET), stored, stored]
    weights = json.loads((place / "local" / "buckets" / "bucket" / "output" / "model" / "weights.json").read_text())
    assert len(weights) == 10 and weights[9]["wonderful"] > 0 > weights[0]["wonderful"]


def test_modelarts_04_0160(run: Run) -> None:
    (job_list_info,) = run("0160")

    assert succeeded([job_list_info])
    assert job_list_info["job_total_count"] == len(job_list_info["jobs"]) >= 1
    assert isinstance(job_list_info["job_count_limit"], int)
    names = [job["job_name"] for job in job_list_info["jobs"]]
    assert "a-job-that-runs" in names and names == sorted(names)
    assert {job["status"] for job in job_list_info["jobs"]} == {RUNNING}


def test_modelarts_04_0161(run: Run) -> None:
    infos = run("0161")

    assert succeeded(infos) and infos[0] == infos[1] == infos[2]
    (info,) = {info["job_id"]: info for info in infos}.values()
    assert (info["job_name"], info["status"]) == ("job-0713-191758", COMPLETED)
    assert (info["engine_type"], info["engine_name"]) == (10, "PyTorch")
    assert info["version_name"].startswith("V0")


def test_modelarts_04_0162(run: Run, service: Session) -> None:
    answers = run("0162")

    assert answers == [{"is_success": True}] * 3
    (row,) = Estimator.iter_jobs(service, search_content="job-0713-191758")
    assert row.job_desc == "update description"


def test_modelarts_04_0163(run: Run) -> None:
    lists = run("0163")

    assert succeeded(lists)
    assert [answer["log_file_list"] for answer in lists] == [["job-job-0713-191758.0"]] * 3


def test_modelarts_04_0164(run: Run) -> None:
    logs = run("0164")

    assert succeeded(logs)
    for log in logs:
        assert "epoch 30 loss" in log["content"] and log["content"].endswith("Training completed.\n")
        assert log["lines"] == len(log["content"].splitlines())
        assert isinstance(log["start_line"], str) and isinstance(log["end_line"], str)


def test_modelarts_04_0166(run: Run, service: Session) -> None:
    assert run("0166") == [{"is_success": True}] * 2

    until(lambda: not list(Estimator.iter_jobs(service, search_content="job-to-delete")))


# --- versions


def test_modelarts_04_0168(run: Run) -> None:
    infos = run("0168")

    assert_the_four_trainings(infos, "modelarts.vm.gpu.p100")
    assert [info["version_name"] for info in infos] == ["V0002", "V0003", "V0004", "V0005"]
    (first,) = {info["pre_version_id"] for info in infos}
    assert first < infos[0]["version_id"] < infos[3]["version_id"]
    assert {info["data_url"] for info in infos} == {"/bucket/data/train/"}
    assert len({info["job_id"] for info in infos}) == 1


def test_modelarts_04_0169(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (versions,) = run("0169")

    assert versions and all(isinstance(version, TrainingJob) for version in versions)
    assert len({version.job_id for version in versions}) == 1
    table = capsys.readouterr().out
    assert table.startswith("version_id") and all(version.version_name in table for version in versions)


def test_modelarts_04_0170(run: Run) -> None:
    infos = run("0170")

    assert succeeded(infos) and infos[0] == infos[1]
    (info,) = {info["job_id"]: info for info in infos}.values()
    assert info["job_name"] == "job-0713-191758"
    assert info["version_count"] == len(info["versions"]) >= 2
    newest, before = info["versions"][:2]
    assert newest["pre_version_id"] == before["version_id"]
    assert newest["status"] == COMPLETED and newest["engine_type"] == 10


def test_modelarts_04_0171(run: Run, service: Session) -> None:
    assert run("0171") == [{"is_success": True}] * 3

    def statuses() -> list[int]:
        return [row.status for row in Estimator.iter_jobs(service, search_content="job-to-stop")]

    until(lambda: statuses() == [KILLED] * 3)


def test_modelarts_04_0172(run: Run, service: Session) -> None:
    assert run("0172") == [{"is_success": True}] * 3

    (row,) = Estimator.iter_jobs(service, search_content="job-to-thin-out")
    job = Estimator(service, job_id=row.job_id)
    until(lambda: [version["version_name"] for version in job.get_job_version_info()["versions"]] == ["V0001"])


# --- configurations


def data_of(config: Any) -> tuple[Any, ...]:
    return (config["data_url"], config["dataset_id"], config["dataset_version_id"])


def assert_the_settings(config: Any) -> None:
    """The common results of pages 0174 and 0178."""
    assert config["config_name"] == "my_job_config"
    assert (config["app_url"], config["boot_file_url"]) == ("/bucket/src/", "/bucket/src/pytorch_sentiment.py")
    assert (config["log_url"], config["train_url"]) == ("/bucket/log/", "/bucket/output/")
    assert config["parameter"] == PARAMETERS
    assert (config["spec_code"], config["worker_server_num"]) == ("modelarts.vm.gpu.p100", 1)
    assert (config["engine_name"], config["engine_version"]) == ("PyTorch", "PyTorch-1.0.0-python3.6")


def test_modelarts_04_0174(run: Run) -> None:
    configs = run("0174")

    assert succeeded(configs)
    for config in configs:
        assert_the_settings(config)
        assert config["config_desc"] == "my job config"
    assert [data_of(config) for config in configs] == [("/bucket/data/train/", None, None), ("", *DATASET)]


def test_modelarts_04_0175(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (configs,) = run("0175")

    assert all(isinstance(config, TrainingJob) for config in configs)
    assert [config.config_name for config in configs] == ["configname-1", "configname-2"]
    assert capsys.readouterr().out.startswith("config_name")


def test_modelarts_04_0176(run: Run) -> None:
    (configs,) = run("0176")

    assert succeeded([configs]) and configs["config_total_count"] == 2
    assert [config["config_name"] for config in configs["configs"]] == ["configname-1", "configname-2"]
    first, second = (config["create_time"] for config in configs["configs"])
    assert first <= second


def test_modelarts_04_0177(run: Run) -> None:
    infos = run("0177")

    assert succeeded(infos) and infos[0] == infos[1] == infos[2]
    assert infos[0]["config_name"] == "my_job_config"
    assert (infos[0]["app_url"], infos[0]["data_url"]) == ("/bucket/src/", "/bucket/data/")
    assert infos[0]["parameter"] == PARAMETERS


def test_modelarts_04_0178(run: Run) -> None:
    answers, configs = zip(*run("0178"))

    assert list(answers) == [{"is_success": True}] * 2
    for config in configs:
        assert_the_settings(config)
        assert config["config_desc"] == "update"
    assert [data_of(config) for config in configs] == [("/bucket/dataset/", None, None), ("", *DATASET)]


def test_modelarts_04_0179(run: Run, service: Session) -> None:
    assert run("0179") == [{"is_success": True}] * 3

    with pytest.raises(NotFound):
        Estimator.from_job_configs(service, "my_job_config")


# --- visualization jobs


def info_of(service: Session, name: str = "visualization_job") -> Any:
    (row,) = VisualizationJob.iter_visualization_jobs(service, search_content=name)
    return VisualizationJob(service, row.job_id).get_visualization_job_info()


def test_modelarts_04_0181(run: Run, service: Session) -> None:
    (viewer,) = run("0181")

    assert isinstance(viewer, VisualizationJob) and viewer.is_success is True
    assert viewer.job_name == "visualization_job" and viewer.job_id == viewer.visualization_id
    assert viewer.create_time > 1_500_000_000_000 and viewer.status in (1, RUNNING)
    info = info_of(service)
    assert (info.job_desc, info.train_url) == ("my visualization job", "/bucket/train/")
    assert service.obs.is_obs_path_exists("obs://bucket/train/events/")
    assert info.status == KILLED  # stopped at the end of the script


@pytest.mark.usefixtures("tensorboard_stays")
def test_modelarts_04_0182(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (viewers,) = run("0182")

    assert all(isinstance(viewer, VisualizationJob) for viewer in viewers)
    assert [(viewer.job_name, viewer.status) for viewer in viewers] == [("visualization_job", RUNNING)]
    assert capsys.readouterr().out.startswith("job_id")


@pytest.mark.usefixtures("tensorboard_stays")
def test_modelarts_04_0183(run: Run) -> None:
    (job_list,) = run("0183")

    assert succeeded([job_list]) and job_list["job_total_count"] == 1
    assert isinstance(job_list["job_count_limit"], int)
    (row,) = job_list["jobs"]
    assert (row["job_name"], row["status"]) == ("visualization_job", RUNNING)


@pytest.mark.usefixtures("tensorboard_stays")
def test_modelarts_04_0184(run: Run) -> None:
    infos = run("0184")

    assert succeeded(infos) and len({info["job_id"] for info in infos}) == 1
    for info in infos:
        assert (info["job_name"], info["train_url"]) == ("visualization_job", "/bucket/train/")
        assert info["service_url"].startswith("http://127.0.0.1:")
        assert info["status"] == RUNNING and info["duration"] >= 0
        assert isinstance(info["resource_id"], str)


@pytest.mark.usefixtures("tensorboard_stays")
def test_modelarts_04_0185(run: Run, service: Session) -> None:
    assert run("0185") == [{"is_success": True}] * 3

    assert info_of(service).job_desc == "update visualization job"


def test_modelarts_04_0186(run: Run, service: Session) -> None:
    assert run("0186") == [{"is_success": True}] * 3

    assert info_of(service).status == KILLED


def test_modelarts_04_0187(run: Run) -> None:
    assert run("0187") == [{"is_success": True}] * 3


def test_modelarts_04_0188(run: Run, service: Session) -> None:
    assert run("0188") == [{"is_success": True}] * 3

    until(lambda: not list(VisualizationJob.iter_visualization_jobs(service, search_content="delete_job")))


# --- catalogs


def test_modelarts_04_0190(run: Run) -> None:
    (algo_info,) = run("0190")

    assert succeeded([algo_info]) and algo_info["model_total_count"] == len(algo_info["models"])
    models = {model["model_name"]: model for model in algo_info["models"]}
    assert models["Faster_RCNN_ResNet_v1_50"]["model_id"] == 1
    assert models["ResNet_v2_50"]["model_usage"] == 1
    assert {"label": "num_epoch", "value": "10", "required": True} in models["ResNet_v2_50"]["parameter"]


def test_modelarts_04_0191(run: Run) -> None:
    (flavors,) = run("0191")

    assert isinstance(flavors, list) and {"modelarts.vm.gpu.p100", "modelarts.vm.cpu.2u"} <= set(flavors)


def test_modelarts_04_0192(run: Run) -> None:
    (engines,) = run("0192")

    assert isinstance(engines, list)
    assert {"framework_type": "PyTorch", "framework_version": "PyTorch-1.0.0-python3.6"} in engines


# --- the collection


def test_a_sample_is_a_plain_script(local: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(FOLDER / "modelarts_04_0163_list_log_files.py")],
        cwd=tmp_path, env=dict(os.environ), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("job-job-0713-191758.0") == 3


def test_the_readme_is_up_to_date() -> None:
    assert INDEX.README.read_text(encoding="utf-8") == INDEX.page(), "run `python docs/samples/_index.py`"


def documented_pages() -> set[str]:
    """The pages of the SDK reference that document classes, constructors and methods."""
    named = [
        source for kind in SURFACE["classes"] for item in (*kind.get("constructors", ()), *kind.get("methods", ()))
        for source in item["sources"]
    ]  # fmt: skip
    return {source.partition(" ")[2] for source in named if source.startswith(("otc-sdk ", "zh-sdk "))}


def test_every_documented_page_has_exactly_one_file() -> None:
    pages = [sample.page for sample in INDEX.samples()]

    assert sorted(pages) == sorted(documented_pages() - ELSEWHERE)
    assert all(sample.file.startswith(f"{sample.page}_") and sample.parts for sample in INDEX.samples())


def test_every_page_has_a_test() -> None:
    assert [sample.page for sample in INDEX.samples() if f"test_{sample.page}" not in globals()] == []


def calls() -> list[tuple[str, str, ast.Call]]:
    """Every call of a sample: the file, the name with its last qualifier, and the call."""
    trees = {file.name: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
    nodes = [(name, node) for name, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [(name, ast.unparse(node.func), node) for name, node in nodes]


def test_every_documented_method_is_called() -> None:
    called = {name for _, name, _ in calls()}
    on_objects = {name.rpartition(".")[2] for name in called if "." in name}
    missing = [
        f"{kind['name']}.{method['name']}" for kind in SURFACE["classes"] for method in kind.get("methods", ())
        if (f"{kind['name']}.{method['name']}" not in called if method["call"] == "class" else
            method["name"] not in on_objects)
    ]  # fmt: skip

    assert missing == []


def test_only_documented_arguments_are_passed() -> None:
    arguments: dict[str, set[str]] = {}
    for kind in SURFACE["classes"]:
        made = [(kind["name"], constructor) for constructor in kind.get("constructors", ())]
        for name, call in [*made, *((method["name"], method) for method in kind.get("methods", ()))]:
            names = [one for parameter in call.get("params", ()) for one in parameter["name"].split("/")]
            arguments.setdefault(name, set()).update(names)
    passed = [
        (file, name, keyword.arg) for file, called, call in calls() for keyword in call.keywords
        if (name := called.rpartition(".")[2]) in arguments and keyword.arg not in arguments[name]
    ]  # fmt: skip

    assert passed == []


def test_samples_define_nothing_and_show_their_results() -> None:
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        assert re.search(r"^results = \[\]$", text, re.MULTILINE) and text.endswith("show(results)\n")
        assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
