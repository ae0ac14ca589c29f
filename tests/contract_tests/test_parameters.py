"""Hyperparameters in requests: names and values that can be arguments of a process, by the same rule as in the SDK."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.environment import BODY, Environment, Reply

OPERATIONS = ["create_training_job", "create_training_job_version", "create_training_job_config",
              "update_training_job_config"]  # fmt: skip
VALUES = [("a b", "a b"), (0.1, "0.1"), (1e-05, "1e-05"), (3, "3"), (True, "true"), (None, ""), ([1, {"a": None}],
          '[1, {"a": null}]'), ("--x=1", "--x=1"), ("x" * 131_000, "x" * 131_000)]  # fmt: skip
NAMES = ["--lr", "-lr", "lr=1", "learning rate", " lr", "lr\t", "lr\n", "l\x7fr"]
NAME_RULE = "without a dash at its beginning, '=', blanks and control characters"


def call(environment: Environment, operation: str, parameter: Any, **config: Any) -> Reply:
    """Make one of the calls whose body has hyperparameters."""
    body = {**BODY, "parameter": parameter, **config}
    if operation == "create_training_job":
        return environment.call(operation, body={"job_name": "unique", "config": body})
    if operation == "create_training_job_version":
        version = environment.version(10)
        body = {"config": {**body, "pre_version_id": version.id}}
        return environment.call(operation, {"job_id": version.job_id}, body=body)
    if operation == "create_training_job_config":
        return environment.call(operation, body={**body, "config_name": "unique"})
    return environment.call(operation, {"config_name": environment.config()}, body=body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_names_and_lengths_are_checked_in_every_call(environment: Environment, operation: str) -> None:
    refused = [
        ([{"label": "--lr", "value": 1}], "ModelArts.0104", NAME_RULE),
        ([{"label": "lr", "value": "a\0b"}], "ModelArts.0104", "'lr' must not contain a NUL character"),
        ([{"label": "lr", "value": "学" * 43_700}], "ModelArts.2607", "'lr' makes an argument of 131105 bytes"),
        ([{"label": f"p{number}", "value": "x" * 100_000} for number in range(16)], "ModelArts.2607",
         "all parameters together take 1600230 bytes of the command line, of which they may take 1572864"),
    ]  # fmt: skip
    for parameter, code, rule in refused:
        reply = call(environment, operation, parameter)

        assert (reply.status, reply.members["error_code"]) == (400, code)
        assert rule in reply.members["error_msg"]


def test_names_that_can_be_no_argument_are_refused(environment: Environment) -> None:
    for name in NAMES:
        reply = call(environment, "create_training_job_config", [{"label": name, "value": 1}])

        assert NAME_RULE in reply.members["error_msg"], name


def test_values_are_stored_as_texts(environment: Environment) -> None:
    parameter = [{"label": f"v{number}", "value": value} for number, (value, _) in enumerate(VALUES)]

    assert call(environment, "create_training_job_config", parameter).members["is_success"] is True

    saved = environment.call("get_training_job_config", {"config_name": "unique"}).members
    assert [row["value"] for row in saved["parameter"]] == [text for _, text in VALUES]


def test_too_long_a_command_of_an_image_is_refused(environment: Environment) -> None:
    image = {"user_image_url": "registry/image:1", "user_command": "true " + "x" * 131_072}

    reply = call(environment, "create_training_job", [], **image)

    assert (reply.status, reply.members["error_code"]) == (400, "ModelArts.2607")
    assert "user_command makes an argument of 131077 bytes; the system allows 131071" in reply.members["error_msg"]
