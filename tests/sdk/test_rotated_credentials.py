"""Credentials from a file are read again when the file changes."""

from __future__ import annotations

import os
import re

import pytest

from modelarts.errors import AuthError
from modelarts.session import Session
from tests.support.cloud import PROJECT, Cloud
from tests.support.machine import (
    INFO,
    REGION,
    Machine,
    ask,
    keys_of,
)


@pytest.fixture
def session_of_file(machine: Machine) -> Session:
    machine.huawei_file(ak="A1", sk="S1", security_token="T1", project_id=PROJECT)
    return Session(region_name=REGION)


def senders(cloud: Cloud) -> list[tuple[str, str]]:
    """Access key and token of each request."""
    found = (re.search(r"Access=(\w+),", str(request.headers["Authorization"])) for request in cloud.requests)
    tokens = [request.headers.get("X-Security-Token", "") for request in cloud.requests]
    return [(match[1] if match else "", token) for match, token in zip(found, tokens)]


def test_new_keys_in_the_file_are_used_from_the_next_request_on(
    machine: Machine, cloud: Cloud, session_of_file: Session
):
    cloud.answer("GET", INFO, {"is_success": True})
    ask(session_of_file)

    machine.huawei_file(ak="A2", sk="S2", security_token="T2")
    ask(session_of_file)

    assert senders(cloud) == [("A1", "T1"), ("A2", "T2")]
    assert keys_of(session_of_file) == ("A2", "S2", "T2")
    assert cloud.requests[1].headers["X-Project-Id"] == PROJECT


def test_keys_of_a_profile_follow_their_file(machine: Machine, cloud: Cloud):
    machine.settings(profiles={"dev": {"access_key": "A1", "secret_key": "S1"}})
    session = Session(profile="dev", region_name=REGION, project_id=PROJECT)

    machine.settings(profiles={"dev": {"access_key": "A2", "secret_key": "S2"}, "prod": {}})

    assert keys_of(session) == ("A2", "S2", "")


def test_a_rejected_login_is_retried_with_the_current_content_of_the_file(
    machine: Machine, cloud: Cloud, session_of_file: Session
):
    stamp = machine.huawei.stat()
    cloud.answer("GET", INFO, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM information"}, 401)
    cloud.answer("GET", INFO, {"is_success": True})

    text = machine.huawei.read_text().replace("A1", "A2").replace("S1", "S2").replace("T1", "T2")
    machine.huawei.write_text(text)
    os.utime(machine.huawei, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # a change that cannot be seen
    ask(session_of_file)

    assert senders(cloud) == [("A1", "T1"), ("A2", "T2")]


def test_a_rejected_login_is_not_retried_with_the_same_keys(cloud: Cloud, session_of_file: Session):
    cloud.answer("GET", INFO, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM information"}, 401)

    with pytest.raises(AuthError):
        ask(session_of_file)

    assert len(cloud.requests) == 1


def test_while_the_file_is_being_written_the_previous_keys_are_used(
    machine: Machine, cloud: Cloud, session_of_file: Session, caplog: pytest.LogCaptureFixture
):
    cloud.answer("GET", INFO, {"is_success": True})

    for text in ("[basic]\nak = A2\n", "[basic]\nak = A2\nSEC", ""):
        machine.write(machine.huawei, text)
        ask(session_of_file)
    machine.huawei.unlink()
    ask(session_of_file)
    machine.huawei_file(ak="A2", sk="S2")
    ask(session_of_file)

    assert senders(cloud) == [("A1", "T1")] * 4 + [("A2", "")]
    assert caplog.text.count("using the keys that were read before") == 4
    assert "SEC" not in caplog.text
