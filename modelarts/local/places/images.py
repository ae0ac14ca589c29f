"""Where the command of a custom image runs: in a container, or on this machine itself.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from typing import Any, Callable

from modelarts.local import files
from modelarts.local.layout import placed
from modelarts.local.places import containers
from modelarts.local.places.containers import Container, Engine
from modelarts.local.runtime.log_lines import LOCAL_LOG

_WORK = "/home/work"
# What describes this machine and not a container.
_OF_THE_MACHINE = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "PYTHONUSERBASE")


def choose(spec: dict[str, Any], note: Callable[[str], None], stopped: Callable[[], bool]) -> bool:
    """Let the workers start containers, if an engine has the image or can pull it.

    Otherwise the setting `local_images` decides: the command runs on this machine, or the spec has a fault.

    Args:
        note: writes a line to all logs.
        stopped: whether the user has stopped the version; ends the download of an image.

    Returns:
        Whether the workers start containers.
    """
    image = spec["image"]
    engine = containers.find(image["memory"])
    nobody = f"none of {', '.join(containers.NAMES)} answers"
    problem = nobody if engine is None else _get(image["url"], engine, note, stopped)
    if engine is not None and not problem:
        spec["tree"]["isolation"] = "off"  # a container is isolated
        for worker in spec["workers"]:
            worker["banner"] += f"{LOCAL_LOG}image {image['url']} runs in a container of {engine.name}\n"
        _use(spec, engine)
        return True
    if image["policy"] == "refuse":
        refused = f"{problem}; local_images=host runs the commands of images on this machine"
        spec["fault"] = spec["fault"] or refused
        return False
    for worker in spec["workers"]:
        worker["banner"] += f"{LOCAL_LOG}{problem}: the command of the image runs on this machine itself\n"
    return False


def _get(url: str, engine: Engine, note: Callable[[str], None], stopped: Callable[[], bool]) -> str:
    if url.startswith("-"):
        return f"{url} is an option, and no image"
    if engine.has(url, stopped):
        return ""
    note(f"{engine.name} pulls image {url}")
    words = engine.pull(url, stopped)
    return f"{engine.name} cannot get image {url}: {words}" if words else ""


def _use(spec: dict[str, Any], engine: Engine) -> None:
    """Let each worker start a container; the names are recorded, for whoever must remove them."""
    image, names = spec["image"], []
    for index, worker in enumerate(spec["workers"]):
        names.append(f"{image['name']}-{index}")
        container = Container(
            names[-1], image["url"], image["command"], f"{_WORK}/user-job-dir", _mounts(image, worker),
            _variables(image, placed(worker["environment"], "")),
        )  # fmt: skip
        worker["argv"], worker["environment"] = engine.run(container)
        worker["banner"] = placed(worker["banner"], "")
    files.write(image["containers"], json.dumps({"engine": engine, "names": names}).encode())


def _mounts(image: dict[str, Any], worker: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [
        (worker["directory"], f"{_WORK}/user-job-dir", False),
        (_start_script(worker), f"{_WORK}/run_train.sh", True),
        *((worker["root"] + path, path, False) for path in ("/cache", "/tmp")),
        *((path, path, False) for path in image["writable"]),
        *((path, path, True) for path in image["readable"]),
    ]


def _variables(image: dict[str, Any], variables: dict[str, str]) -> dict[str, str]:
    found = {name: value for name, value in variables.items() if name not in _OF_THE_MACHINE}
    found["PYTHONPATH"] = os.pathsep.join([f"{_WORK}/user-job-dir", *image["path"]])
    if os.getuid():  # which the image does not know, so that it has no home
        found["HOME"] = "/tmp"
    return found


def provide(image: dict[str, Any], worker: dict[str, Any], has_tree: bool, note: Callable[[str], None]) -> None:
    """Provide `/home/work/run_train.sh`; where the worker has no tree of its own, let its command find it.

    Args:
        note: writes a line to the worker's log.
    """
    script = _start_script(worker)
    shutil.copyfile(image["run_train"], script)
    os.chmod(script, 0o755)
    work = os.path.dirname(script)
    if not has_tree and f"{_WORK}/" in image["command"]:
        if shlex.quote(work) == work:
            worker["argv"][-1] = image["command"].replace(f"{_WORK}/", f"{work}/")
            note(f"{_WORK} in the command is {work} here")
        else:
            note(f"the command names {_WORK}, which is {work} here: a path that needs quotes in a shell")


def _start_script(worker: dict[str, Any]) -> str:
    return os.path.join(os.path.dirname(worker["directory"]), "run_train.sh")


def remove(record: str) -> None:
    """End and remove the containers that a version may have left."""
    try:
        found = json.loads(files.read(record, files.JSON_BYTES))
        engine, names = Engine(*map(str, found["engine"])), [str(name) for name in found["names"]]
    except (OSError, ValueError, RecursionError, TypeError, KeyError):  # there are none, or a job has written there
        return
    for name in names:
        engine.remove(name)
