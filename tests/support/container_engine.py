"""A container engine for tests: it records its arguments, and runs commands on this machine in place of containers.

The paths of a container become those of this machine that are mounted there. Only what is mounted, and the variables
that are passed, reach the command. `rm --force` kills what `run` started, which nothing else does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support.jobs import until

_PROGRAM = """#!{python} -IS
import json, os, signal, sys, time

folder, answers, images = {folder!r}, {answers!r}, {images!r}
arguments = sys.argv[1:]
with open(os.path.join(folder, "calls"), "a") as file:
    file.write(json.dumps(arguments) + "\\n")
if arguments[0] in ("version", "info"):
    time.sleep(0 if answers is not None else 60)
    sys.exit(not answers)
if arguments[:2] == ["image", "inspect"]:
    sys.exit(arguments[2] not in images)
if arguments[0] == "pull":
    sys.exit("Error response from daemon: no such host\\n")
if arguments[0] == "rm":
    try:
        with open(os.path.join(folder, arguments[-1])) as file:
            os.killpg(int(file.read()), signal.SIGKILL)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    sys.exit()

if arguments[0] == "container":
    sys.exit(1)  # nothing is left
if arguments[0] == "exec" and arguments[-1] == "true":
    sys.exit(arguments[1][len("docker://"):] not in images)

import csv, re, subprocess  # which the other calls need not wait for

place = next(i for i, argument in enumerate(arguments) if i and not argument.startswith("-"))
options = [argument[2:].partition("=")[::2] for argument in arguments[1:place]]
rows = [next(csv.reader([text])) for name, text in options if name == "mount"]
mounts = [dict(field.partition("=")[::2] for field in row) for row in rows]
mounts += [dict(zip(("source", "target"), text.split(":"))) for name, text in options if name == "bind"]
variables = {{"PATH": os.environ["PATH"], "HOME": "/root"}}
for text in [text for name, text in options if name == "env"]:
    name, given, value = text.partition("=")
    variables[name] = value if given else os.environ[name]
variables.update({{name[13:]: value for name, value in os.environ.items() if name.startswith("APPTAINERENV_")}})

sources = {{mount["target"]: mount["source"] for mount in mounts if mount["target"] != "/tmp"}}  # the tests are there
targets = re.compile("|".join(re.escape(target) for target in sorted(sources, key=len, reverse=True)))

def here(text):
    return targets.sub(lambda found: sources[found[0]], text)

command = [here(argument) for argument in arguments[place + 1:]]
directory = here(dict(options).get("workdir") or dict(options)["pwd"])
variables = {{name: here(value) for name, value in variables.items()}}
process = subprocess.Popen(command, cwd=directory, env=variables, start_new_session=True)
with open(os.path.join(folder, dict(options).get("name", "none")), "w") as file:
    file.write(str(process.pid))
signal.signal(signal.SIGTERM, lambda *_: process.terminate())
code = process.wait()
sys.exit(code if code >= 0 else 128 - code)
"""


def install(folder: Path, name: str = "docker", answers: bool | None = True, images: tuple[str, ...] = ()) -> Path:
    """Write an engine to a folder for PATH, where its calls are recorded.

    Args:
        answers: whether its daemon runs; `None` for one that hangs.
        images: those that it has; others cannot be pulled.
    """
    program = folder / name
    program.write_text(_PROGRAM.format(python=sys.executable, folder=str(folder), answers=answers, images=images))
    program.chmod(0o755)
    return program


def calls(folder: Path) -> list[list[str]]:
    """The arguments of all calls, in their order."""
    recorded = folder / "calls"
    return [json.loads(line) for line in recorded.read_text().splitlines()] if recorded.exists() else []


def pid(folder: Path) -> int:
    """The process of the container that was started last."""
    name = next(argument for argument in calls(folder)[-1] if argument.startswith("--name="))[len("--name=") :]
    return int(until(lambda: (folder / name).exists() and (folder / name).read_text()))
