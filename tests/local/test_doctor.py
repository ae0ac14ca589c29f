"""`modelarts doctor` says what a machine allows, and how to allow the rest."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli


def doctor(given_up: str, *options: str) -> tuple[int, str]:
    script = "import sys; from modelarts.cli.main import main; sys.argv[0] = 'modelarts'; main()"
    start = (
        "import os, sys; from tests.support import rights; rights.give_up(sys.argv[1]); "
        f"os.execv(sys.executable, [sys.executable, '-c', {script!r}, *sys.argv[2:]])"
    )
    ran = subprocess.run([sys.executable, "-c", start, given_up, "doctor", *options], capture_output=True, text=True)
    assert ran.stderr == ""
    return ran.returncode, ran.stdout


@pytest.mark.parametrize(
    ("given_up", "states"),
    [
        ("nothing", ["ok", "ok", "ok"]),
        ("administration", ["ok", "ok", "ok"]),
        ("a private /proc", ["ok", "ok", "failed: mount /proc: Operation not permitted"]),
        ("namespaces", ["failed: unshare: the limit of namespaces is reached"] * 3),
    ],
)
def test_each_check_tries_what_jobs_do(given_up, states):
    code, printed = doctor(given_up, "--json")

    rows = {row["check"]: row for row in json.loads(printed)}
    names = ["mount namespace", "PID namespace", "private /proc"]
    assert [rows[name]["state"] for name in names] == states
    assert code == any(state != "ok" for state in states)
    assert [bool(rows[name]["advice"]) for name in names] == [state != "ok" for state in states]


def test_what_is_missing_is_shown_with_what_may_break_and_how_to_allow_it():
    code, printed = doctor("namespaces")

    line = next(line for line in printed.splitlines() if line.startswith("mount namespace"))
    assert "jobs see the machine's own /cache, /tmp and /home/work" in line
    assert "`sudo sysctl -w user.max_user_namespaces=15000`" in line
    assert code == 1


def test_limits_of_namespaces_are_told_by_their_names():
    _, printed = doctor("mount namespaces")

    line = next(line for line in printed.splitlines() if line.startswith("mount namespace"))
    assert "`sudo sysctl -w user.max_mnt_namespaces=15000`" in line


def test_nothing_is_wrong_with_a_machine_whose_user_wants_no_isolation(monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_ISOLATION", "off")

    assert doctor("namespaces", "--json")[0] == 0


def test_a_wrong_value_of_the_setting_is_reported(monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_ISOLATION", "maybe")

    ran = CliRunner().invoke(cli, ["doctor"])

    assert "write auto, require or off" in str(ran.exception)
