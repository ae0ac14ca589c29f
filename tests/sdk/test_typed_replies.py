"""Editors and type checkers know the documented members of replies, by attribute and by key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import typed_replies

EXPRESSIONS = {
    "info.status": "JobStatus",
    'info["duration"]': "int",
    'info["job_name"]': "str",
    "info.log_url": "str | None",
    "info.parameter[0].label": "str",
    'jobs.jobs[0]["version_count"]': "int",
    "jobs.jobs[0].job_desc": "str",
    "flavors.specs[0].spec_code": "str",
    'framework["framework_version"]': "str",
    "info.is_success": "bool",
    'info["a member of a later version"]': "Any",
}
PROGRAM = """\
from modelarts._api.replies import FlavorList, Framework, JobInfo, JobList
def check(info: JobInfo, jobs: JobList, flavors: FlavorList, framework: Framework) -> None:
    info.raise_on_failure()
"""


def test_the_types_are_those_of_the_contract():
    written = typed_replies.MODULE.read_text(encoding="utf-8")

    assert written == typed_replies.module(), "run `python -m tests.support.typed_replies`"


@pytest.fixture(scope="module")
def revealed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What mypy says of each line after the head of the program."""
    program = tmp_path_factory.mktemp("typed") / "program.py"
    program.write_text(PROGRAM + "".join(f"    reveal_type({text})\n" for text in EXPRESSIONS), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", str(program)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if "Revealed type is" in line]
    return [line.partition("Revealed type is ")[2].strip('"') for line in told]


@pytest.mark.parametrize(("place", "kind"), list(enumerate(EXPRESSIONS.values())), ids=list(EXPRESSIONS))
def test_a_type_checker_knows_a_documented_member(revealed: list[str], place: int, kind: str):
    assert revealed[place].replace("builtins.", "").replace("Union[str, None]", "str | None").endswith(kind)
