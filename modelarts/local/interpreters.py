"""Python interpreters that jobs run on: what a thin environment on top of one needs to know about it.

Standard library only: the supervisor uses this module, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import NamedTuple, Optional

from modelarts.local import files

_FACTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "interpreter_facts.py")
PATIENCE = 60.0  # seconds in which an interpreter describes itself; on a slow disk the first start takes long


class InterpreterError(Exception):
    """Why an interpreter cannot be used."""


class Interpreter(NamedTuple):
    """One interpreter, as it describes itself."""

    version: str  # such as "3.9"
    executable: str  # of the installation itself, also if the interpreter is in a virtual environment
    scripts: str  # folder of its programs
    prefix: str
    base: str  # the prefix of the installation
    sites: list[str]  # folders of packages, in the order of import
    path: list[str]  # what it imports from
    wrapper: str = ""  # a script of the user that starts it; empty if there is none

    @property
    def has_environments(self) -> bool:
        """Whether it supports virtual environments."""
        return tuple(map(int, self.version.split("."))) >= (3, 3)

    @property
    def folders(self) -> list[str]:
        """All folders that it needs."""
        return list(dict.fromkeys([self.prefix, self.base, os.path.dirname(self.executable), *self.sites, *self.path]))


def own() -> Interpreter:
    """The interpreter of this process."""
    from modelarts.local import interpreter_facts  # the supervisor has no use for it

    return Interpreter(**interpreter_facts.facts())  # type: ignore[no-untyped-call]  # its syntax is older


def ask(program: str, environment: Mapping[str, str], cache: str) -> Interpreter:
    """Have an interpreter describe itself; the reply is kept until the program changes.

    Args:
        program: the path of an interpreter, or of a script that starts one.
        environment: its environment variables.
        cache: a folder for replies.

    Raises:
        InterpreterError: it cannot be started, or is no Python interpreter.
    """
    import hashlib  # few jobs need it, and its import would delay the start of all

    path = _found(program, environment)
    key = json.dumps([path, _time_stamps(path), sorted(environment.items())]).encode()
    cached = os.path.join(cache, f"{hashlib.sha256(key).hexdigest()[:16]}.json")
    known = _stored(cached)
    if known is None:
        known = _asked(path, environment)
        os.makedirs(cache, 0o700, exist_ok=True)
        files.write(cached, json.dumps(known._asdict()).encode())
    return known


def _found(program: str, environment: Mapping[str, str]) -> str:
    """The path of a program that may be named without a folder."""
    if os.sep in program:
        return program
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    candidates = (os.path.join(folder, program) for folder in folders)
    return next((path for path in candidates if os.access(path, os.X_OK)), program)


def _time_stamps(path: str) -> list[int]:
    """When the program, and the configuration of its virtual environment, were changed."""
    of_venv = os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg")
    return [os.stat(one).st_mtime_ns if os.path.exists(one) else 0 for one in (path, of_venv)]


def _stored(cached: str) -> Optional[Interpreter]:
    try:
        return Interpreter(**json.loads(files.read(cached, files.JSON_BYTES)))
    except (OSError, ValueError, RecursionError, TypeError):
        return None


def _asked(path: str, environment: Mapping[str, str]) -> Interpreter:
    import subprocess

    try:
        reply = subprocess.run(
            [path, _FACTS], env=dict(environment), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        told = json.loads(reply.stdout.decode("utf-8", "replace").strip().rpartition("\n")[2] or "null")
    except subprocess.TimeoutExpired:
        raise InterpreterError(f"it does not respond within {PATIENCE:.0f} seconds") from None
    except OSError as error:
        raise InterpreterError(error.strerror or str(error)) from None
    except ValueError:
        told = None
    if not isinstance(told, dict) or set(told) != {*Interpreter._fields} - {"wrapper"}:
        said = reply.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise InterpreterError(f"it does not respond as a Python interpreter does{said and ': '}{said}")
    return Interpreter(**told, wrapper=path if _is_script(path) else "")


def _is_script(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"#!"
