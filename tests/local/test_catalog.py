"""The engines and flavors of the local service: those that scripts name, and those of settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelarts.estimator import Estimator
from modelarts.local import daemon
from modelarts.session import Session
from tests.support.processes import end_service

ADDED_ENGINES = {"pytorch": "PyTorch-2.1.0-python3.10", "Paddle": ["Paddle-2.5"], "MXNet": ["MXNet-1.2.1-python2.7"]}
ADDED_FLAVORS = {
    "modelarts.p3.8xlarge": {"gpu_num": 4, "max_num": 2},
    "mine": {},
    "modelarts.vm.cpu.2u": {"max_num": 9},
}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session on a service with engines and flavors of settings."""
    home = tmp_path_factory.mktemp("catalog") / "state"
    home.mkdir()
    settings = {"local_engines": ADDED_ENGINES, "local_flavors": ADDED_FLAVORS}
    (home / "config.json").write_text(json.dumps(settings))
    with Session.local(home) as opened:
        yield opened
    end_service(home)


ENGINES = [
    ("Ascend-Powered-Engine", "MindSpore-1.3-cann_5.0.2-python3.7-euleros2.8-aarch64"),
    ("Ascend-Powerd-Engine", "MindSpore-1.1.1-c76-tr5-python3.7-euleros2.8-aarch64"),
    ("Ascend-Powered-Engine", "Mindspore-1.1.1-python3.7-aarch64"),
    ("MindSpore-GPU", "MindSpore-1.1.0-python3.7"),
    ("PyTorch", "PyTorch-1.1.0-python3.6"),
    ("Pytorch", "PyTorch-1.3.0-python2.7"),
    ("Ray", "RAY-0.7.4-python3.6"),
    ("XGBoost-Sklearn", "XGBoost-0.80-Sklearn-0.18.1-python2.7"),
    ("PyTorch", "PyTorch-2.1.0-python3.10"),
    ("Paddle", "Paddle-2.5"),
]
FLAVORS = [
    "modelarts.kat1.2xlarge", "modelarts.kat1.4xlarge", "modelarts.bm.gpu.8v100", "modelarts.vm.cpu.2u.1",
    "modelarts.p3.2xlarge", "modelarts.p3.4xlarge", "modelarts.p3.8xlarge", "mine",
]  # fmt: skip


@pytest.mark.parametrize(("framework_type", "framework_version"), ENGINES)
def test_an_engine_that_scripts_name_is_accepted(session: Session, framework_type: str, framework_version: str):
    name = f"e-{ENGINES.index((framework_type, framework_version))}"
    flavor = FLAVORS[ENGINES.index((framework_type, framework_version)) % len(FLAVORS)]
    estimator = Estimator(
        session, framework_type=framework_type, framework_version=framework_version, code_dir="/bucket/code/",
        boot_file="train.py", output_path="/bucket/out/", train_instance_type=flavor, train_instance_count=2,
        pool_id="pool1",
    )  # fmt: skip

    saved = estimator.create_job_configs(config_name=name).get_job_configs_info()

    assert saved.is_success
    assert (saved.engine_version, saved.spec_code, saved.pool_id) == (framework_version, flavor, "pool1")
    again = Estimator.from_job_configs(session, name)
    assert (again.train_instance_type, again.pool_id) == (flavor, "pool1")


def test_what_settings_add_has_the_members_of_its_like(session: Session):
    engines = {row.engine_version: row for row in Estimator.get_engine_list(session).engines}
    specs = {row.spec_code: row for row in Estimator.get_spec_list(session).specs}

    added = engines["PyTorch-2.1.0-python3.10"]
    assert (added.engine_name, added.engine_type) == ("PyTorch", 10)
    assert (engines["Paddle-2.5"].engine_name, engines["Paddle-2.5"].engine_type) == ("Paddle", None)
    assert (specs["modelarts.p3.8xlarge"].gpu_num, specs["modelarts.p3.8xlarge"].max_num) == (4, 2)
    assert specs["mine"].core == specs["local"].core
    assert specs["modelarts.vm.cpu.2u"].max_num == 2  # a documented one stays as it is


def test_additions_keep_their_ids(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = {row.spec_code: row.spec_id for row in Estimator.get_spec_list(session).specs}
    home = tmp_path / "other"
    monkeypatch.setenv("MODELARTS_LOCAL_FLAVORS", "another, mine")

    with Session.local(home) as other:
        after = {row.spec_code: row.spec_id for row in Estimator.get_spec_list(other).specs}
    daemon.stop(home)

    assert after["mine"] == before["mine"] != after["another"]
