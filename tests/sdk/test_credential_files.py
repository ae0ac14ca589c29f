"""Credentials files of other tools: the one of Huawei's general SDK, and those that variables name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.errors import ConfigError
from modelarts.session import Session
from tests.support.cloud import PROJECT, cloud_session
from tests.support.files import common_user
from tests.support.machine import (
    REGION,
    Machine,
    by_environment,
    by_huawei_file,
    ini,
    keys_of,
    login,
)

# --- the file of Huawei's general SDK


def test_the_file_of_the_general_sdk_is_read_as_it_is_documented(machine: Machine):
    basic = ini("basic", {"ak": "A", "sk": "S%%(x)s=", "project_id": PROJECT, "iam_endpoint": "i.x"})
    machine.write(machine.huawei, "\ufeff[global]\nak: wrong\n" + basic)

    session = Session(region_name=REGION)

    assert keys_of(session) == ("A", "S%%(x)s=", "")
    assert session.project_id == PROJECT
    assert session._services.url("iam") == "https://i.x"


def test_the_file_of_the_general_sdk_may_be_moved(machine: Machine, tmp_path: Path):
    by_huawei_file(machine)
    moved = machine.huawei.rename(tmp_path / "moved")
    machine.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(moved))

    assert keys_of(Session(region_name=REGION, project_id=PROJECT))[0] == "AK huawei"


BROKEN = ["[basic]\nak = A\nSECRET without a sign\n", "ak = A\nsk = SECRET\n", "[basic]\nak = A\nak = SECRET\n"]


@pytest.mark.parametrize("text", BROKEN, ids=["no option", "no section", "twice"])
def test_a_broken_credentials_file_is_reported_with_its_line_number_only(machine: Machine, text: str):
    machine.write(machine.huawei, text)

    with pytest.raises(ConfigError, match=rf"{machine.huawei}: line \d cannot be read; correct it") as caught:
        Session()

    assert "SECRET" not in str(caught.value)


def a_folder(machine: Machine) -> None:
    machine.huawei.mkdir(parents=True)


def no_text(machine: Machine) -> None:
    machine.write(machine.huawei, "").write_bytes(b"\xff\xfe[basic]")


def no_line(machine: Machine) -> None:
    machine.write(machine.huawei, BROKEN[0])


def too_long(machine: Machine) -> None:
    machine.set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "x" * 5000)


@pytest.mark.parametrize("break_it", [a_folder, no_text, no_line, too_long])
def test_a_credentials_file_that_cannot_be_read_is_named(machine: Machine, break_it: Callable[[Machine], None]):
    break_it(machine)

    with pytest.raises(ConfigError, match=r"^credentials file .*correct it"):
        Session()


@pytest.mark.parametrize("break_it", [a_folder, no_text, no_line, too_long])
def test_a_broken_file_is_ignored_if_an_earlier_source_has_the_credentials(
    machine: Machine, break_it: Callable[[Machine], None]
):
    break_it(machine)

    assert keys_of(cloud_session())[0] == "AK"
    assert CliRunner().invoke(cli, ["config", "show"]).exit_code == 0


def test_an_unreadable_home_is_ignored_if_there_are_credentials(machine: Machine):
    """As in a container that runs as any user: HOME is that of root."""
    with common_user() as place:
        machine.set("HOME", str(place / "locked"))
        (place / "locked").mkdir(mode=0)

        with pytest.raises(ConfigError, match=r"^settings file .*Permission denied; .* or set MODELARTS_HOME"):
            Session()
        machine.set("MODELARTS_HOME", str(place))
        with pytest.raises(ConfigError, match=r"^credentials file .*Permission denied; let this user read it$"):
            Session()
        by_environment(machine)
        assert keys_of(Session(region_name=REGION, project_id=PROJECT))[0] == "AK environment"


# --- files that variables name

NAMING = ["HUAWEICLOUD_SDK_CREDENTIALS_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_FILE", "AWS_CONFIG_FILE"]


@pytest.mark.parametrize("variable", NAMING)
def test_a_credentials_file_named_by_a_variable_must_exist(machine: Machine, variable: str, tmp_path: Path):
    machine.set(variable, str(tmp_path / "typo"))
    machine.settings(**login("somebody else"))
    message = rf"typo: No such file or directory \(environment {variable}\); correct the variable, or unset it$"

    with pytest.raises(ConfigError, match=message):
        Session(region_name=REGION, project_id=PROJECT)

    assert CliRunner().invoke(cli, ["whoami", "--no-check"]).exit_code == 1


@pytest.mark.parametrize("variable", NAMING)
def test_a_missing_credentials_file_is_ignored_if_an_earlier_source_has_the_credentials(
    machine: Machine, variable: str, tmp_path: Path
):
    machine.set(variable, str(tmp_path / "typo"))

    assert keys_of(cloud_session())[0] == "AK"
    by_environment(machine)
    assert keys_of(Session(region_name=REGION, project_id=PROJECT))[0] == "AK environment"


