"""The Python interpreters of this machine, and which of them satisfies a requirement as conda writes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Optional

OLDEST = (3, 3)  # with virtual environments
_PATIENCE = 10.0  # seconds in which an interpreter tells its version
_PROGRAM = re.compile(r"python3(?:\.\d+)?")
_REQUIREMENT = re.compile(r"python(?P<clauses>(?:\s*[=<>!~]|\s+[\d*=<>!~]).*)?", re.IGNORECASE)
_CLAUSE = re.compile(r"(===|==|=|~=|!=|<=|>=|<|>)?\s*(\d+(?:\.\d+)*)(\.\*|\*)?")


class Python(NamedTuple):
    """An interpreter."""

    program: str
    version: tuple[int, ...]

    @property
    def text(self) -> str:
        return ".".join(map(str, self.version))


def is_requirement(text: str) -> bool:
    """Whether a package of conda is a Python whose version can be compared here: no channel and no build."""
    return _parsed(text) is not None


def satisfies(version: tuple[int, ...], requirement: str) -> bool:
    """Whether a version is what a requirement such as `python=3.6`, `python>=3.8,<3.11` or `python` wants."""
    alternatives = _parsed(requirement) or []
    return any(all(_holds(version, *clause) for clause in clauses) for clauses in alternatives)


def find(requirements: Sequence[str], starter: Mapping[str, str]) -> Optional[Python]:
    """The interpreter for requirements: that of the service if it satisfies them, else the newest one that does."""
    own = sys.version_info[:3]
    if all(satisfies(own, requirement) for requirement in requirements):
        return Python(sys.executable, own)
    found = (one for one in available(starter) if all(satisfies(one.version, each) for each in requirements))
    return next(found, None)


def available(starter: Mapping[str, str]) -> list[Python]:
    """The interpreters on the path of the service, of pyenv and of uv, one of each version, the newest first."""
    found: dict[tuple[int, ...], str] = {sys.version_info[:3]: sys.executable}
    for program in _programs(starter):
        version = _version_of(str(program), program.stat().st_mtime_ns)
        if version >= OLDEST:
            found.setdefault(version, str(program))
    return [Python(found[version], version) for version in sorted(found, reverse=True)]


def _programs(starter: Mapping[str, str]) -> Iterator[Path]:
    home = Path(starter.get("HOME") or "~").expanduser()
    pyenv = Path(starter.get("PYENV_ROOT") or home / ".pyenv")
    data = Path(starter.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(starter.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    folders = [Path(folder) for folder in starter.get("PATH", os.defpath).split(os.pathsep) if folder]
    folders = [folder for folder in folders if folder != pyenv / "shims"]  # its interpreters are listed anyway
    for folder in [*folders, *_matches(pyenv, "versions/*/bin"), *_matches(uv, "*/bin")]:
        for path in _matches(folder, "python3*"):
            if _PROGRAM.fullmatch(path.name) and os.access(path, os.X_OK):
                yield path


def _matches(folder: Path, pattern: str) -> list[Path]:
    """The paths in a folder; none if it cannot be read, as in the home of another user."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


@lru_cache(maxsize=256)
def _version_of(program: str, changed: int) -> tuple[int, ...]:
    """The version of an interpreter; empty for what is none, such as a shim of pyenv without a version."""
    question = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    try:
        reply = subprocess.run(
            [program, "-E", "-S", "-c", question], stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="replace", timeout=_PATIENCE, check=False,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()
    return tuple(map(int, reply.split("."))) if re.fullmatch(r"\d+\.\d+\.\d+", reply) else ()


# --- requirements

_Clause = tuple[str, tuple[int, ...], bool]  # operator, version, with a star at its end


def _parsed(requirement: str) -> Optional[list[list[_Clause]]]:
    """Alternatives of clauses that hold together; `None` for what is no such requirement."""
    matched = _REQUIREMENT.fullmatch(requirement.strip())
    if matched is None:
        return None
    text = (matched["clauses"] or "").strip()
    if text in ("", "*", "=*", "==*"):
        return [[]]
    alternatives = []
    for alternative in text.split("|"):
        clauses = [_CLAUSE.fullmatch(clause.strip()) for clause in alternative.split(",")]
        found = [(one[1] or "==", _numbers(one[2]), bool(one[3])) for one in clauses if one]
        if len(found) < len(clauses):
            return None
        alternatives.append(found)
    return alternatives


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _holds(version: tuple[int, ...], operator: str, wanted: tuple[int, ...], starred: bool) -> bool:
    begins = version[: len(wanted)] == wanted
    padded = (*wanted, *[0] * (len(version) - len(wanted)))
    if operator == "=" or (starred and operator in ("==", "===", "~=")):
        return begins
    if operator == "~=":
        return version >= padded and version[: len(wanted) - 1] == wanted[:-1]
    if operator == "!=":
        return not begins if starred else version != padded
    return {"==": version == padded, "===": version == padded, "<": version < padded, "<=": version <= padded,
            ">": version > padded, ">=": version >= padded}[operator]  # fmt: skip
