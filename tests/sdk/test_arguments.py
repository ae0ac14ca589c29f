"""Wrong arguments are reported before anything is sent: all of them at once, each with the rule that it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from modelarts.errors import ArgumentError
from modelarts.session import Session
from tests.support.cloud import GPU, MADE, Cloud, cloud_estimator

NAMED = "1 to 64 letters, digits, underscores or hyphens"
DATA = {"inputs": "/bucket/data/"}
DATASET = {"dataset_id": "d", "dataset_version_id": "v"}
OBS, SET = {"type": "obs", "data_url": "/b/d/"}, {"type": "dataset", "dataset_id": "d", "dataset_version": "v"}

Refused = Callable[..., ArgumentError]


@pytest.fixture
def refused(cloud: Cloud, session: Session) -> Iterator[Refused]:
    """Make a call that must raise; at the end, only look-ups have been sent."""

    def refuse(method: str = "fit", changes: dict[str, Any] | None = None, **arguments: Any) -> ArgumentError:
        with pytest.raises(ArgumentError) as caught:
            getattr(cloud_estimator(session, **(changes or {})), method)(**arguments)
        return caught.value

    yield refuse
    assert cloud.requests
    assert {request.method for request in cloud.requests} == {"GET"}


def faults(error: ArgumentError) -> dict[str, str]:
    return {fault.argument: fault.rule for fault in error.faults}


# --- names of flavors, engines and algorithms

UNKNOWN = [
    ({"train_instance_type": "modelarts.vm.cpu.2"}, "train_instance_type", "'modelarts.vm.cpu.2u'"),
    ({"train_instance_type": "zzz"}, "train_instance_type", f"known: 'modelarts.vm.cpu.2u', '{GPU}'"),
    ({"framework_type": "PyTorsh"}, "framework_type", "did you mean 'PyTorch'?"),
    ({"framework_version": "PyTorch-1.0.1-python3.6"}, "framework_version", "'PyTorch-1.0.0-python3.6'"),
    ({"model_name": "ResNet_v2_5"}, "model_name", "'ResNet_v2_50'"),
]


@pytest.mark.parametrize(("changes", "argument", "hint"), UNKNOWN, ids=[str(row[0]) for row in UNKNOWN])
def test_an_unknown_name_is_reported_with_similar_ones(
    cloud: Cloud, refused: Refused, changes: dict[str, Any], argument: str, hint: str
):
    cloud.look_ups("specs", "models" if argument == "model_name" else "engines")

    error = refused(changes=changes, **DATA)

    assert list(faults(error)) == [argument]
    assert hint in str(error)
    assert repr(changes[argument]) in str(error)


def test_a_version_of_another_framework_is_not_suggested(cloud: Cloud, refused: Refused):
    cloud.look_ups("specs", "engines")

    error = refused(changes={"framework_type": "TensorFlow"}, **DATA)

    assert "TF-1.8.0-python2.7" in faults(error)["framework_version"]
    assert "PyTorch" not in faults(error)["framework_version"]


def test_case_blanks_and_hyphens_of_a_framework_do_not_matter(cloud: Cloud, session: Session):
    cloud.look_ups("specs", "engines")
    estimator = cloud_estimator(session, framework_type="pytorch", framework_version="PYTORCH_1.0.0 python3.6")

    assert estimator.payload(job_name="j", **DATA)["config"]["engine_id"] == 12


def test_more_instances_than_the_flavor_allows_are_refused(cloud: Cloud, refused: Refused):
    cloud.look_ups("specs", "engines")

    error = refused(changes={"train_instance_count": 3}, **DATA)

    assert faults(error) == {"train_instance_count": "flavor 'modelarts.vm.cpu.2u' allows at most 2"}


@pytest.mark.parametrize("count", [1, 2, "2"])
def test_as_many_instances_as_the_flavor_allows_are_sent(cloud: Cloud, session: Session, count: Any):
    cloud.look_ups("specs", "engines")

    body = cloud_estimator(session, train_instance_count=count).payload(job_name="j", **DATA)

    assert body["config"]["worker_server_num"] == int(count)


# --- rules that do not depend on the service

RULES: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("fit", {"boot_file": "/bucket/other/train.py"}, DATA, "boot_file", "must be in code_dir='/bucket/src/'"),
    ("fit", {"boot_file": "/bucket/srcs/train.py"}, DATA, "boot_file", "must be in code_dir"),
    ("fit", {"boot_file": "../train.py"}, DATA, "boot_file", "must be in code_dir"),
    ("fit", {"boot_file": "/bucket/src/../train.py"}, DATA, "boot_file", "'.' and '..'"),
    ("fit", {"boot_file": "/bucket/src/"}, DATA, "boot_file", "is a folder"),
    ("fit", {"boot_file": "."}, DATA, "boot_file", "is a folder"),
    ("fit", {"code_dir": None}, DATA, "code_dir", "required"),
    ("fit", {"boot_file": None}, DATA, "boot_file", "required"),
    ("fit", {"code_dir": 5}, DATA, "code_dir", "a text such as /bucket/folder/"),
    ("fit", {"code_dir": "obs://"}, DATA, "code_dir", "names no bucket"),
    ("fit", {"framework_version": None}, DATA, "framework_version", "get_framework_list"),
    ("fit", {"output_path": "output/"}, DATA, "output_path", "/bucket/key"),
    ("fit", {"log_url": "file:///log/"}, DATA, "log_url", "/bucket/key"),
    ("fit", {"train_instance_count": None}, DATA, "train_instance_count", "a whole number from 1"),
    ("fit", {"train_instance_count": 0}, DATA, "train_instance_count", "a whole number from 1"),
    ("fit", {"train_instance_count": "--1"}, DATA, "train_instance_count", "a whole number from 1"),
    ("fit", {"train_instance_count": True}, DATA, "train_instance_count", "a whole number from 1"),
    ("fit", {"user_image_url": "1.2.3.4/a:b"}, DATA, "user_command", "needs user_image_url and user_command"),
    ("fit", {"user_command": "bash x"}, DATA, "user_image_url", "needs user_image_url and user_command"),
    ("fit", {}, {}, "inputs", "input data are required"),
    ("fit", {}, {**DATA, **DATASET}, "inputs", "excludes dataset_id"),
    ("fit", {}, {**DATA, "data_source": [OBS]}, "inputs", "excludes data_source"),
    ("fit", {}, {**DATASET, "data_source": [OBS]}, "dataset_id", "excludes data_source"),
    ("fit", {}, {"dataset_id": "d"}, "dataset_version_id", "belongs to dataset_id"),
    ("fit", {}, {"dataset_version_id": "v"}, "dataset_id", "belongs to dataset_version_id"),
    ("fit", {}, {"inputs": "no such folder"}, "inputs", "there is no such local path"),
    ("fit", {}, {"inputs": ""}, "inputs", "is empty; pass None for no path"),
    ("fit", {}, {"inputs": "bucket/data/"}, "inputs", "slash or obs://; did you mean 'obs://bucket/data/'?"),
    ("fit", {}, {"inputs": "obs:bucket/data/"}, "inputs", "did you mean 'obs://bucket/data/'?"),
    ("fit", {}, {"inputs": "//bucket/data/"}, "inputs", "did you mean 'obs://bucket/data/'?"),
    ("fit", {}, {"inputs": "https://bucket.obs.cn-north-4.myhuaweicloud.com/a.csv"}, "inputs", "'obs://bucket/a.csv'"),
    ("fit", {}, {"inputs": "https://obs.cn-north-4.myhuaweicloud.com/bucket/a"}, "inputs", "'obs://bucket/a'"),
    ("fit", {}, {"inputs": "https://example.com/a.csv"}, "inputs", "a web address cannot be used"),
    ("fit", {}, {"inputs": ["/bucket/a/", "/bucket/b/"]}, "inputs", "for several: data_source=["),
    ("fit", {"output_path": Path("output")}, DATA, "output_path", "session.obs.download_dir downloads them"),
    ("fit", {"output_path": "bucket/output"}, DATA, "output_path", "did you mean 'obs://bucket/output'?"),
    ("fit", {}, {**DATA, "priority": "high"}, "priority", "a whole number"),
    ("fit", {}, {"data_source": []}, "data_source", "a list of"),
    ("fit", {}, {"data_source": "/b/d/"}, "data_source", "a list of"),
    ("fit", {}, {"data_source": [{"type": "s3"}]}, "data_source", "type is 'obs' or 'dataset'"),
    ("fit", {}, {"data_source": [{"type": "obs"}]}, "data_source", "needs data_url"),
    ("fit", {}, {"data_source": [{"type": "obs", "data_url": "b/d"}]}, "data_source", "/bucket/key"),
    ("fit", {}, {"data_source": [{"type": "dataset", "dataset_id": "d"}]}, "data_source", "dataset_version"),
    ("fit", {}, {"data_source": [{**SET, "data_url": "/b/d/"}]}, "data_source", "excludes dataset_id"),
    ("fit", {}, {"data_source": [OBS, SET]}, "data_source", "cannot be mixed"),
    ("fit", {}, {**DATA, "job_name": "a" * 65}, "job_name", NAMED),
    ("fit", {}, {**DATA, "job_name": "my job"}, "job_name", NAMED),
    ("create_job_configs", {}, {"config_name": "a" * 65}, "config_name", NAMED),
    ("create_job_configs", {}, {"config_name": "test config"}, "config_name", NAMED),
    ("create_job_configs", {}, {"config_name": "配置"}, "config_name", NAMED),
    ("create_job_configs", {}, {"config_name": "config\n"}, "config_name", NAMED),
    ("create_job_configs", {}, {"config_name": "c", "config_desc": "d" * 257}, "config_desc", "this has 257"),
    ("update_job_configs", {}, {"config_name": ""}, "config_name", NAMED),
    ("update_job_configs", {}, {"config_name": "a/b"}, "config_name", NAMED),
    ("update_job_configs", {}, {"config_name": "c", "config_desc": 5}, "config_desc", "a text"),
    ("create_job_version", {}, {**DATA, "job_id": 1, "pre_version_id": None}, "pre_version_id", "a whole number"),
    ("create_job_version", {}, {**DATA, "job_id": None, "pre_version_id": 1}, "job_id", "required: "),
    ("create_job_version", {}, {"job_id": 1, "pre_version_id": 1}, "inputs", "input data are required"),
    ("create_job_version", {}, {**DATA, "job_id": 1, "pre_version_id": 1, "job_desc": "d" * 257}, "job_desc",
     "at most 256 characters; this has 257"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "changes", "arguments", "argument", "rule"),
    RULES,
    ids=[f"{row[0]}-{row[3]}-{number}" for number, row in enumerate(RULES)],
)
def test_an_error_names_the_argument_and_the_rule(
    cloud: Cloud, refused: Refused, method: str, changes: dict[str, Any], arguments: dict[str, Any],
    argument: str, rule: str,
):  # fmt: skip
    looked_up = ["specs"]
    if not {"user_image_url", "user_command"} & {*changes} and changes.get("framework_version", "") is not None:
        looked_up.append("engines")
    cloud.look_ups(*looked_up)

    error = refused(method, changes, **arguments)

    assert list(faults(error)) == [argument]
    assert rule in faults(error)[argument]
    assert str(error).startswith(f"{method}: nothing was sent")


def test_a_flavor_or_a_pool_is_required(cloud: Cloud, refused: Refused):
    cloud.look_ups("engines")

    error = refused(changes={"train_instance_type": None}, **DATA)

    assert "or pool_id" in faults(error)["train_instance_type"]


def test_all_problems_are_reported_in_one_value_error(cloud: Cloud, refused: Refused):
    cloud.look_ups("specs", "engines")
    changes = {"train_instance_type": "zzz", "framework_type": "PyTorsh", "boot_file": "../x.py",
               "train_instance_count": 0, "hyperparameters": [1]}  # fmt: skip

    error = refused(changes=changes, job_name="my job", **DATA, **DATASET)

    assert isinstance(error, ValueError)
    assert set(faults(error)) == {*changes, "job_name", "inputs"}
    assert f"{len(error.faults)} arguments to correct" in str(error)
    assert all(str(fault) in str(error) for fault in error.faults)


def test_an_unknown_argument_of_payload_is_refused(cloud: Cloud, session: Session):
    with pytest.raises(ArgumentError, match="input='/b/d/': not an argument of this call; it takes inputs, "):
        cloud_estimator(session).payload(input="/b/d/")


# --- values at the limits

NAMES = ["a", "a" * 64, "0", "-", "_", "A-z_09"]


@pytest.mark.parametrize("name", NAMES)
def test_every_allowed_name_is_sent_as_it_is(cloud: Cloud, session: Session, name: str):
    cloud.look_ups("specs", "engines")
    cloud.answer("POST", "/training-jobs", MADE)
    cloud.answer("POST", "/training-job-configs", {"is_success": True})
    cloud.answer("PUT", f"/training-job-configs/{name}", {"is_success": True})
    estimator = cloud_estimator(session)

    estimator.fit(job_name=name, **DATA)
    estimator.create_job_configs(config_name=name)
    estimator.update_job_configs(config_name=name)

    assert cloud.sent[0]["job_name"] == cloud.sent[1]["config_name"] == name
    assert "config_name" not in cloud.sent[2]


@pytest.mark.parametrize("text", ["", "d" * 256, "描述" * 128])
def test_descriptions_of_up_to_256_characters_are_sent_as_they_are(cloud: Cloud, session: Session, text: str):
    cloud.look_ups("specs", "engines")
    estimator = cloud_estimator(session)

    assert estimator.payload(job_name="j", job_desc=text, **DATA)["job_desc"] == text
    assert estimator.payload("create_training_job_config", config_name="c", config_desc=text)["config_desc"] == text


@pytest.mark.parametrize("boot_file", ["train.py", "obs://bucket/src/train.py", "s3://bucket/src/train.py"])
@pytest.mark.parametrize("code_dir", ["/bucket/src", "/bucket/src/", "s3://bucket/src"])
def test_code_may_be_written_in_any_form_of_an_obs_path(cloud: Cloud, session: Session, code_dir: str, boot_file: str):
    cloud.look_ups("specs", "engines")

    config = cloud_estimator(session, code_dir=code_dir, boot_file=boot_file).payload(job_name="j", **DATA)["config"]

    assert (config["app_url"], config["boot_file_url"]) == ("/bucket/src/", "/bucket/src/train.py")
