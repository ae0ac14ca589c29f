"""`modelarts doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import json
import sys

import click

from modelarts._display.terminal import say
from modelarts._settings import table

_COLUMNS = ("check", "state", "advice")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Check what jobs need on this machine. Exit code 1 if something is missing.

    Example: modelarts doctor
    """
    setting = table.value_of("local_isolation")
    rows = [{"check": "local_isolation", "state": setting, "advice": ""}, *_isolation(), _images(), _environments()]
    if as_json:
        say(json.dumps(rows, indent=2))
    else:
        from modelarts._display.tables import print_table

        print_table(rows, _COLUMNS)
    if setting != "off" and any(row["state"].startswith("failed") for row in rows):
        sys.exit(1)


def _isolation() -> list[dict[str, str]]:
    from modelarts.local import locks  # noqa: F401  says what the service needs on other systems
    from modelarts.local.places import allowing

    return [
        {"check": one.name, "state": f"failed: {one.problem}" if one.problem else "ok", "advice": one.advice}
        for one in allowing.checks()
    ]


def _images() -> dict[str, str]:
    """Where custom images run."""
    from modelarts.local.places import containers

    if engine := containers.answering():
        return {"check": "custom images", "state": f"in containers of {engine.program}", "advice": ""}
    names, policy = ", ".join(containers.NAMES), table.value_of("local_images")
    state = "on this machine itself" if policy == "host" else "refused"
    return {"check": "custom images", "state": state, "advice": f"start one of {names} to run them in containers"}


def _environments() -> dict[str, str]:
    """What creates the environments of jobs."""
    from modelarts.local.environment_plan import NoEnvironment, Planner

    try:
        tool = Planner(table.value_of("local_conda")).tool()
    except NoEnvironment as error:
        return {"check": "environments", "state": "refused", "advice": str(error)}
    advice = "" if tool else "install conda, mamba or micromamba for packages of conda and other versions of Python"
    return {"check": "environments", "state": f"created by {tool}" if tool else "virtual only", "advice": advice}
