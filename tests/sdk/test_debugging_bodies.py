"""Bodies of debugging on this machine, which only the local service takes: it checks them itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.environment import BODY, Environment, in_process

LOCAL = 100_000  # the id of the flavor `local`
NAMED = {"name": "mine"}
BARE = {name: BODY[name] for name in ("worker_server_num", "app_url", "boot_file_url")}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with in_process(tmp_path_factory.mktemp("debugging")) as made:
        yield made


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"environment": ["mine"]}, "environment must be an object with name, channels, pip_packages, conda_packages"),
    ({"environment": {**NAMED, "packages": []}}, "environment must be an object with name"),
    ({"environment": {}}, "environment: name must be a text of 1 to 128 characters on one line"),
    ({"environment": {"name": "a\nb"}}, "environment: name must be a text"),
    ({"environment": {**NAMED, "pip_packages": "requests"}}, "pip_packages 'requests': a list of texts"),
    (
        {"environment": {**NAMED, "pip_packages": ["--index-url=https://me:secret@host/"]}},
        "is an option, not a package",
    ),
    ({"environment": {**NAMED, "channels": ["https://host/t/secret/a b"]}}, "channels 'https://host/t/***/a b'"),
    ({"environment": {**NAMED, "conda_packages": [1]}}, "conda_packages 1: each item is a text"),
    ({"environment": NAMED, "user_image_url": "i:1", "user_command": "c"}, "not to an image or an algorithm"),
    ({"train_url": "file:///tmp/out/"}, "an OBS path is written /bucket/key"),
    ({"spec_id": LOCAL, "train_url": "file://tmp/out/"}, "a path of this machine is written file:///folder/name"),
    ({"spec_id": LOCAL, "train_url": "file:///tmp/"}, "each job has a folder of its own there; name a folder in it"),
    ({"spec_id": LOCAL, "data_url": "file:///tmp/../etc/"}, "without '..'"),
    ({"spec_id": LOCAL, "app_url": "file:///src/", "boot_file_url": "file:///src/a.py"}, "an OBS path is written"),
]


@pytest.mark.parametrize(("changes", "rule"), REFUSED, ids=range(len(REFUSED)))
def test_a_wrong_body_is_refused(environment: Environment, changes: dict[str, Any], rule: str) -> None:
    reply = environment.call("create_training_job", body={"job_name": environment.name(), "config": BODY | changes})

    assert reply.status == 400, reply.members
    assert rule in reply.members["error_msg"]
    assert "secret" not in str(reply.members)


@pytest.mark.parametrize(
    "more", [{"spec_id": LOCAL}, {"spec_id": 2, "environment": NAMED}], ids=["flavor", "environment"]
)
def test_engine_and_data_may_be_left_out(environment: Environment, more: dict[str, Any]) -> None:
    reply = environment.call("create_training_job", body={"job_name": environment.name(), "config": BARE | more})

    assert reply.status == 200, reply.members
    path = {name: reply.members[name] for name in ("job_id", "version_id")}
    info = environment.call("get_training_job_version", path).members
    assert (info["engine_name"], info["data_url"], info["train_url"]) == ("Local", "", "")
    lists: dict[str, list[str]] = {"channels": [], "pip_packages": [], "conda_packages": []}
    assert info.get("environment") == ({**NAMED, **lists} if "environment" in more else None)


def test_without_both_the_rules_of_the_contract_hold(environment: Environment) -> None:
    reply = environment.call(
        "create_training_job", body={"job_name": environment.name(), "config": {**BARE, "spec_id": 2}}
    )

    assert reply.status == 400
    assert "one of data_url, dataset_id with dataset_version_id, and data_source is required" in str(reply.members)


def test_a_name_is_taken_unless_a_job_is_debugged_again(environment: Environment) -> None:
    config, names = {**BARE, "spec_id": LOCAL}, [environment.name(), environment.name()]
    environment.call("create_training_job", body={"job_name": names[0], "config": config})
    environment.call("create_training_job", body={"job_name": names[1], "config": BODY})

    def again(name: str, **more: Any) -> Any:
        return environment.call("create_training_job", body={"job_name": name, "config": config, **more})

    assert again(names[0]).members["error_code"] == "ModelArts.0103"
    assert again(names[0], again=True).members["version_name"] == "V0002"
    assert again(names[1], again=True).members["error_code"] == "ModelArts.0103"
    assert again(names[0], again="yes").status == 400
