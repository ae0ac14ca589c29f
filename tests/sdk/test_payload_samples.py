"""Request bodies are those of the documented samples and of the original SDK, except for the conflict rules."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support.cloud import Cloud, cloud_estimator, contract

OPERATIONS = {row["id"]: row for row in contract("rest_v1.json")["operations"]}
OBSERVED = contract("observed.json")
CALLED = ("create_training_job_config", "update_training_job_config",
          "create_training_job", "create_training_job_version")  # fmt: skip

# The names behind the samples' ids, among others that must not be taken for them.
FLAVORS = {1: "modelarts.vm.gpu.p100", 27: "modelarts.vm.cpu.8u", 2: "modelarts.vm.cpu.2u"}
ENGINES = {3: "TF-1.4.0-python2.7", 1: "TF-1.4.0-python3.6", 4: "TF-1.8.0-python3.6"}
ALGORITHMS = {4: "ResNet_v2_50", 1: "Faster_RCNN_ResNet_v2_101"}

# What a sample may be about, and the members that are then not sent (TEXTREQ, MODELID).
NOT_WITH = {
    "model_id": ("app_url", "boot_file_url", "engine_id", "user_image_url", "user_command"),
    "engine_id": ("model_id", "user_image_url", "user_command"),
    "user_image_url": ("model_id", "engine_id"),
}


def expected(printed: dict[str, Any], runs: str, on: str) -> dict[str, Any]:
    """A documented sample after the conflict rules: this is what must be sent.

    Args:
        runs: what the user chose to run, of the alternatives printed at once: a key of `NOT_WITH`.
        on: where, of the alternatives printed at once: `spec_id`, `pool_id` or `both`.
    """
    body = copy.deepcopy(printed)
    body.pop("notification", None)  # UNDOC: in one sample, in no table
    config = body.get("config", body)
    for member in NOT_WITH[runs]:  # TEXTREQ, MODELID: model_id alone, or code with its engine, or an image
        config.pop(member, None)
    flavor = config.pop("flavor", None)
    if flavor:  # UNDOC: in one sample, in no table; it stands for spec_id
        config["spec_id"] = next(number for number, code in FLAVORS.items() if code == flavor["code"])
    for other in {"spec_id", "pool_id"} - {on}:  # POOL: one of the two, or both as printed
        if on != "both":
            config.pop(other, None)
    config["parameter"] = [  # PARAMKEY: always label. PARAMVAL: always text
        {"label": item.get("label") or item["key"], "value": str(item["value"])} for item in config["parameter"]
    ]
    return body


def cases() -> Iterator[Any]:
    """Every documented request of the four calls, once for each choice that it leaves open."""
    for operation in CALLED:
        for number, sample in enumerate(OPERATIONS[operation]["samples"]["requests"], 1):
            config = sample["body"].get("config", sample["body"])
            places = [on for on in ("spec_id", "pool_id") if on in config] or ["spec_id"]
            places += ["both"] if len(places) == 2 else []
            for runs in [runs for runs in NOT_WITH if runs in config]:
                for on in places:
                    yield pytest.param(operation, sample, runs, on, id=f"{operation}-{number}-{runs}-{on}")


@pytest.mark.parametrize(("operation", "sample", "runs", "on"), list(cases()))
def test_arguments_give_the_documented_body(
    cloud: Cloud, session: Session, operation: str, sample: dict[str, Any], runs: str, on: str
):
    printed = sample["body"]
    asked = {"spec_id": on != "pool_id", "engine_id": runs == "engine_id", "model_id": runs == "model_id"}
    answer_look_ups(cloud, [member for member, needed in asked.items() if needed])
    path = sample["path"].replace("/v1/{project_id}", "").rstrip("/")  # SLASH: the URI sections print no last slash
    cloud.answer(sample["method"], path, OPERATIONS[operation]["samples"]["responses_success"][0]["body"])

    send(session, operation, printed, runs, on)

    assert cloud.calls[-1] == f"{sample['method']} {path}"
    assert as_text(cloud.sent) == as_text([expected(printed, runs, on)])


def answer_look_ups(cloud: Cloud, members: list[str]) -> None:
    engines = [{"engine_id": n, "engine_name": "TensorFlow", "engine_version": v} for n, v in ENGINES.items()]
    rows = {
        "spec_id": {"specs": [{"spec_id": n, "spec_code": code, "max_num": 2} for n, code in FLAVORS.items()]},
        "engine_id": {"engines": engines},
        "model_id": {"models": [{"model_id": n, "model_name": name} for n, name in ALGORITHMS.items()]},
    }
    for member in members:
        cloud.look_ups(**rows[member])


def send(session: Session, operation: str, printed: dict[str, Any], runs: str, on: str) -> None:
    """Make the documented call with the arguments that correspond to a documented sample."""
    config = printed.get("config", printed)
    estimator = Estimator(
        session,
        train_instance_count=config["worker_server_num"],
        hyperparameters=config["parameter"],
        output_path=config["train_url"],
        log_url=config.get("log_url"),
        volumes=config.get("volumes"),
        workspace_id=printed.get("workspace_id"),
    )
    if on != "spec_id":
        estimator.pool_id = config["pool_id"]
    if on != "pool_id":
        estimator.train_instance_type = config["flavor"]["code"] if "flavor" in config else FLAVORS[config["spec_id"]]
    if runs == "model_id":
        estimator.model_name = ALGORITHMS[config["model_id"]]
    else:
        estimator.code_dir, estimator.boot_file = config["app_url"], config.get("boot_file_url")
    if runs == "engine_id":
        estimator.framework_type, estimator.framework_version = "TensorFlow", ENGINES[config["engine_id"]]
    if runs == "user_image_url":
        estimator.user_image_url, estimator.user_command = config["user_image_url"], config["user_command"]
    data = {name: config[name] for name in ("dataset_id", "dataset_version_id", "data_source") if name in config}
    if "data_url" in config:
        data["inputs"] = config["data_url"]

    if operation == "create_training_job_config":
        estimator.create_job_configs(config_name=printed["config_name"], config_desc=printed["config_desc"], **data)
    elif operation == "update_training_job_config":
        estimator.update_job_configs(config_name="config", config_desc=printed["config_desc"], **data)
    elif operation == "create_training_job":
        estimator.job_description = printed["job_desc"]
        estimator.fit(job_name=printed["job_name"], **data)
    else:
        estimator.create_job_version(
            job_id=10, pre_version_id=config["pre_version_id"], job_desc=printed["job_desc"], **data
        )


def as_text(bodies: Any) -> str:
    """JSON text, in which 1, 1.0 and true are different values."""
    return json.dumps(bodies, sort_keys=True, indent=1, ensure_ascii=False)


# --- what the original SDK sends

CODE = {
    "framework_type": "PyTorch", "framework_version": "PyTorch-1.0.0-python3.6",
    "code_dir": "/bucket/src/", "boot_file": "/bucket/src/pytorch_sentiment.py", "log_url": "/bucket/log/",
    "train_instance_type": "modelarts.vm.gpu.p100", "hyperparameters": {"classes": 10, "lr": 0.001},
}  # fmt: skip
IMAGE = {
    "user_image_url": "1.2.3.4/a:b", "user_command": "bash x", "log_url": "/bucket/log/",
    "train_instance_type": "modelarts.vm.cpu.2u", "hyperparameters": {"lr": 0.001},
}  # fmt: skip
ALGORITHM = {"model_name": "resnet_v1_50", "train_instance_type": "modelarts.vm.cpu.2u"}
POOL = {
    **CODE, "train_instance_type": None, "pool_id": "pool1", "hyperparameters": None, "log_url": None,
    "code_dir": "/b/s/", "boot_file": "a.py", "output_path": "/b/o/",
    "nas_type": "nfs", "nas_share_addr": "1.1.1.1:/", "nas_mount_path": "/home/work/nas",
}  # fmt: skip
DATASET = {"dataset_id": "did", "dataset_version_id": "dv"}
SOURCE = {"data_source": [{"type": "obs", "data_url": "/b/d/"}]}
TRAIN, DATA = {"inputs": "/bucket/data/train/"}, {"inputs": "/bucket/data/"}
VERSION = {"job_id": 182626, "pre_version_id": 278813, "job_desc": "v"}
CONFIG, UPDATE = {"config_name": "my_job_config"}, {"config_name": "my_job_config", "config_desc": "update"}

# Of each observed call: the estimator's arguments, then those of the method that its name begins with.
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "fit(inputs)": ({**CODE, "job_description": "d"}, {"job_name": "my_training_job", **TRAIN}),
    "fit(dataset_id, dataset_version_id)": (CODE, {"job_name": "j2", **DATASET}),
    "fit(data_source)": (CODE, {"job_name": "j3", **SOURCE}),
    "create_job_version(inputs)": (CODE, {**VERSION, **TRAIN}),
    "create_job_configs(inputs)": (CODE, {**CONFIG, "config_desc": "c", **TRAIN}),
    "create_job_configs(dataset_id, dataset_version_id)": (CODE, {**CONFIG, "config_desc": "c", **DATASET}),
    "create_job_configs(no data)": (CODE, CONFIG),
    "update_job_configs(inputs)": (CODE, {**UPDATE, "inputs": "/bucket/dataset/"}),
    "update_job_configs(no data)": (CODE, UPDATE),
    "update_job_configs(data_source)": (CODE, {**CONFIG, **SOURCE}),
    "fit(inputs), user_image_url and user_command": (IMAGE, {"job_name": "img", **DATA}),
    "fit(inputs), model_name": (ALGORITHM, {"job_name": "m", **DATA}),
    "fit(inputs), pool_id and nas_* instead of train_instance_type": (POOL, {"job_name": "p", **DATA}),
}
CREATING = [row for row in OBSERVED["calls"] if row["call"].startswith(("fit", "create_job", "update_job_configs"))]


def as_we_send(observed: dict[str, Any]) -> dict[str, Any]:
    """An observed body without the members that the notes exclude."""
    body = copy.deepcopy(observed)
    for member in ("job_type", "autosearch_config"):  # in no document
        body.pop(member, None)
    config = body.get("config", body)
    del config["priority"]  # sent only when the user gives it
    if "poolId" in config:  # the newer pages' spelling
        config["pool_id"] = config.pop("poolId")
    return body


def make(cloud: Cloud, session: Session, row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make an observed call; return the observed request that creates or updates."""
    *look_ups, last = row["requests"]
    for look_up in look_ups:
        name = look_up["path"].partition("?")[0].rpartition("/")[2]
        kind = {"resource-specs": "specs", "ai-engines": "engines", "built-in-algorithms": "models"}[name]
        cloud.look_ups(**{kind: OBSERVED["look_ups_answered_with"][name]})
    reply = {"is_success": True, "job_id": 182626, "version_id": 278814, "job_name": "j", "version_name": "V0001"}
    cloud.answer(last["method"], last["path"].replace("/v1/{project_id}", ""), reply)
    of_estimator, of_call = CALLS[row["call"]]
    estimator = Estimator(session, **{"train_instance_count": 1, "output_path": "/bucket/output/", **of_estimator})

    getattr(estimator, row["call"].partition("(")[0])(**of_call, **more)

    return dict(last["body"])


@pytest.mark.parametrize("row", CREATING, ids=lambda row: row["call"])
def test_bodies_are_those_of_the_original_sdk(cloud: Cloud, session: Session, row: dict[str, Any]):
    observed = make(cloud, session, row)

    assert as_text(cloud.sent) == as_text([as_we_send(observed)])


@pytest.mark.parametrize("row", CREATING, ids=lambda row: row["call"])
def test_a_priority_is_sent_where_the_original_sdk_sends_it(
    cloud: Cloud, session: Session, row: dict[str, Any]
):
    observed = make(cloud, session, row, priority=1)

    (body,) = cloud.sent
    assert body.get("config", body)["priority"] == observed.get("config", observed)["priority"]


@pytest.mark.parametrize("operation", CALLED)
def test_create_version_is_sent_with_new_jobs_only(cloud: Cloud, session: Session, operation: str):
    cloud.look_ups("specs", "engines")
    names = {"job_name": "j", "config_name": "c", "pre_version_id": 20}

    body = cloud_estimator(session, create_version=False).payload(operation, **TRAIN, **names)

    sent = body.get("config", body).get("create_version")
    assert sent is (False if operation == "create_training_job" else None)
