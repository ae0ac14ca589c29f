"""`modelarts doctor` says what a machine allows, and how to allow the rest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli
from tests.support import rights

JSON = ("auto", "--json")  # value of the setting, options
TEXT = ("auto",)
WITHOUT_ISOLATION = ("off", "--json")
RUNS = {"namespaces": [JSON, TEXT, WITHOUT_ISOLATION]}  # in a process that has given up these rights; others: `JSON`
SCRIPT = """
import json, os, sys
from modelarts.cli.doctor import doctor

for isolation, *options in json.loads(sys.argv[1]):
    os.environ["MODELARTS_LOCAL_ISOLATION"] = isolation
    try:
        doctor(options)
    except SystemExit as end:
        print(f"\\nexit code {end.code}")
"""


@cache
def outcomes(given_up: str) -> dict[tuple[str, ...], tuple[int, str]]:
    """The exit code and the output of each run in a process that gives up rights."""
    runs = RUNS.get(given_up, [JSON])
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(runs)], capture_output=True, text=True, check=True,
        preexec_fn=lambda: rights.give_up(given_up),
    )  # fmt: skip
    assert ran.stderr == ""
    ends = re.findall(r"(.*?)\nexit code (\d+)\n", ran.stdout, re.DOTALL)
    return {run: (int(code), printed) for run, (printed, code) in zip(runs, ends)}


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
    code, printed = outcomes(given_up)[JSON]

    rows = {row["check"]: row for row in json.loads(printed)}
    names = ["mount namespace", "PID namespace", "private /proc"]
    assert [rows[name]["state"] for name in names] == states
    assert code == any(state != "ok" for state in states)
    assert [bool(rows[name]["advice"]) for name in names] == [state != "ok" for state in states]


def test_what_is_missing_is_shown_with_what_may_break_and_how_to_allow_it():
    code, printed = outcomes("namespaces")[TEXT]

    line = next(line for line in printed.splitlines() if line.startswith("mount namespace"))
    assert "jobs see the machine's own /cache, /tmp and /home/work" in line
    assert "`sudo sysctl -w user.max_user_namespaces=15000`" in line
    assert code == 1


def test_limits_of_namespaces_are_told_by_their_names():
    _, printed = outcomes("mount namespaces")[JSON]

    advice = {row["check"]: row["advice"] for row in json.loads(printed)}
    assert "`sudo sysctl -w user.max_mnt_namespaces=15000`" in advice["mount namespace"]


def test_nothing_is_wrong_with_a_machine_whose_user_wants_no_isolation():
    code, printed = outcomes("namespaces")[WITHOUT_ISOLATION]

    assert code == 0
    assert "failed: " in printed


def test_a_wrong_value_of_the_setting_is_reported(monkeypatch):
    monkeypatch.setenv("MODELARTS_LOCAL_ISOLATION", "maybe")

    ran = CliRunner().invoke(cli, ["doctor"])

    assert "write auto, require or off" in str(ran.exception)
