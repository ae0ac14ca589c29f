"""A virtual environment on top of an interpreter, made of a few files and links: it takes a millisecond, no process.

Its packages come before those of the interpreter, which it sees but never changes. `pip`, `python -m pip`,
`pip install --user` and `uv pip` install into it, also as root. Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from modelarts.local.interpreters import Interpreter

# Neither "true" nor "false". Python takes it as false: packages of the installation come from `_PTH` instead, which
# also works on top of a virtual environment. pip takes it as true, and so allows `--user`, see `ENABLE_USER_SITE`.
_CONFIGURATION = "home = {home}\ninclude-system-site-packages = no\nversion = {version}\n"

# Run at the start of each interpreter. `PYTHONUSERBASE` is the environment, so that `pip install --user` installs
# into it; other interpreters, to which it is the folder of a user, do not get packages of this one.
_PTH = (
    "import site, sys; sys.prefix != sys.base_prefix and (setattr(site, 'ENABLE_USER_SITE', True), "
    "list(map(site.addsitedir, {sites})), sys.path.extend(p for p in {path} if p not in sys.path))\n"
)
PTH_NAME = "_modelarts.pth"


def packages_of(folder: str, python: Interpreter) -> str:
    """The folder of packages of an environment."""
    return os.path.join(folder, "lib", f"python{python.version}", "site-packages")


def create(folder: str, python: Interpreter, layers: Sequence[str] = (), path: Sequence[str] = ()) -> None:
    """Create an environment.

    Args:
        folder: where; it must not exist.
        python: the interpreter below.
        layers: folders of packages between those of the environment and those of the interpreter.
        path: folders to import from after all others.

    Raises:
        OSError: it cannot be created.
    """
    programs = os.path.join(folder, "bin")
    os.makedirs(programs)
    if not python.has_environments:
        _write_program(os.path.join(programs, "python"), quoted(python.executable))
    else:
        packages = packages_of(folder, python)
        os.makedirs(packages)
        os.symlink("lib", os.path.join(folder, "lib64"))  # where some systems install binary packages
        os.symlink(python.executable, os.path.join(programs, "python"))
        home = os.path.dirname(python.executable)
        _write(os.path.join(folder, "pyvenv.cfg"), _CONFIGURATION.format(home=home, version=python.version))
        sites = [*layers, *filter(os.path.isdir, python.sites)]
        further = [*path, *_pip_below(folder, python)]
        _write(os.path.join(packages, PTH_NAME), _PTH.format(sites=ascii(sites), path=ascii(further)))
    _write_program(os.path.join(programs, "pip"), f"{quoted(os.path.join(programs, 'python'))} -m pip")
    for name in ("python", "pip"):
        for version in (python.version[0], python.version):
            os.symlink(name, os.path.join(programs, f"{name}{version}"))


def quoted(path: str) -> str:
    """A path as a word of a shell; without `shlex`, whose import would delay the start of jobs."""
    return "'" + path.replace("'", "'\"'\"'") + "'"


def _pip_below(folder: str, python: Interpreter) -> list[str]:
    """Where to import pip from, for interpreters without it, such as environments of uv.

    It is the one of the installation below, through a folder that shows nothing else of it. Otherwise it is the wheel
    that comes with Python, which is compiled each time that pip starts: that takes a second.
    """
    if any(os.path.isdir(os.path.join(site, "pip")) for site in python.sites):
        return []
    library = os.path.join(python.base, "lib", f"python{python.version}")
    installed = os.path.join(library, "site-packages", "pip")
    if os.path.isdir(installed):
        shown = os.path.join(folder, "lib", "pip")
        os.mkdir(shown)
        os.symlink(installed, os.path.join(shown, "pip"))
        return [shown]
    import glob

    bundled = os.path.join(glob.escape(library), "ensurepip", "_bundled")
    found = [*glob.glob(os.path.join(bundled, "pip-*.whl")), *glob.glob("/usr/share/python-wheels/pip-*.whl")]
    return found[:1]


def _write_program(path: str, command: str) -> None:
    _write(path, f'#!/bin/sh\nexec {command} "$@"\n')
    os.chmod(path, 0o755)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
