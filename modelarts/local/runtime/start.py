"""What a worker starts: a script with its engine, a built-in algorithm, or the command of a custom image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from modelarts.local.runtime import boot, images
from modelarts.local.runtime.arguments import Node, as_option, engine_arguments, needs_scheduler, passed_twice
from modelarts.local.runtime.banner import command_line

ALGORITHMS = Path(__file__).parents[2] / "algorithms"
SCHEDULER = Path(__file__).with_name("mindspore_scheduler.py")


@attrs.frozen
class Start:
    """The start of one worker.

    Args:
        argv: the program and its arguments.
        command: the same as the log shows it.
        notes: what only this service does, for the log.
        variables: environment variables that belong to the command.
    """

    argv: Sequence[str]
    command: str
    notes: Sequence[str]
    variables: Mapping[str, str] = {}


def script(body: Mapping[str, Any], engine_name: str, node: Node, python: str, directory: Path) -> Start:
    """The boot file with the arguments of the engine and the hyperparameters."""
    boot_file = boot.relative(body)
    passed, parameters = engine_arguments(engine_name, node), _parameters(body)
    arguments = passed + parameters
    argv = [*boot.program(boot_file, python), str(directory / boot_file), *(as_option(*pair) for pair in arguments)]
    return Start(argv, command_line(boot_file, arguments), passed_twice(passed, parameters))


def algorithm(body: Mapping[str, Any], row: Mapping[str, Any], node: Node, python: str) -> Start:
    """A built-in algorithm with its defaults and the hyperparameters."""
    passed, parameters = engine_arguments("", node), _parameters(body)
    given = {name for name, _ in parameters}
    defaults = [(item["label"], item["value"]) for item in row["parameter"] if item["label"] not in given]
    arguments = passed + defaults + parameters
    program = [python, str(ALGORITHMS / row["script"]), *row["arguments"]]
    argv = [*program, *(as_option(*pair) for pair in arguments)]
    notes = [f"built-in algorithm {row['model_name']}", *passed_twice(passed, parameters)]
    return Start(argv, command_line(row["script"], arguments), notes)


def image(body: Mapping[str, Any]) -> Start:
    """The command of a custom image. Its hyperparameters are environment variables (modelarts_03_0045)."""
    command = images.command(body)
    return Start(["/bin/sh", "-c", command], command, [], dict(_parameters(body)))


def mindspore_scheduler(engine_name: str, node: Node, python: str) -> list[dict[str, Any]]:
    """What several ranks of MindSpore need beside them: a program of the first node, whose end is ignored."""
    if node.index or not needs_scheduler(engine_name, node):
        return []
    program = [python, "-I", str(SCHEDULER)]  # without the modules beside it
    return [{"argv": program, "environment": {}, "label": "scheduler", "serves": True, "optional": True}]


def _parameters(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(item["label"], item["value"]) for item in body["parameter"]]
