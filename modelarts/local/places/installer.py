"""Installs required packages into an environment, by `uv` where it is there, else by pip.

Standard library only: the supervisor uses this module.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Optional

# Variables of the starter for those who install: their configuration, and the way to the network.
_PREFIXES = ("PIP_", "UV_")
_NAMES = {
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE", "NETRC", "SSH_AUTH_SOCK", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CUDA_HOME",
    "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "TMPDIR",
}  # fmt: skip
# What would have them install elsewhere or something else.
_WITHOUT = {f"PIP_{name}" for name in ("TARGET", "PREFIX", "ROOT", "USER", "PYTHON", "DRY_RUN", "REQUIREMENT",
                                       "EDITABLE", "REQUIRE_VIRTUALENV", "LOG", "QUIET", "REPORT")}  # fmt: skip
_WITHOUT |= {f"UV_{name}" for name in ("TARGET", "PREFIX", "PYTHON", "SYSTEM_PYTHON", "PROJECT", "WORKING_DIR")}
# Options of pip, and the variable by which uv takes the same. Others have no counterpart there.
_AS_UV = {
    "index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX", "trusted-host": "UV_INSECURE_HOST", "constraint": "UV_CONSTRAINT",
    "cert": "SSL_CERT_FILE", "timeout": "UV_HTTP_TIMEOUT", "default-timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}  # fmt: skip
_COMMAS = {"find-links"}  # uv wants them between several values, where pip has blanks
_FALSE = ("", "0", "false", "no", "off")


class Installer(NamedTuple):
    """A program that installs packages."""

    name: str
    command: list[str]  # followed by the file with the requirements
    variables: dict[str, str]


def installers(
    python: str, system: Mapping[str, str], starter: Mapping[str, str], has_environments: bool
) -> list[Installer]:
    """Those that can install into an environment, the preferred one first.

    Args:
        python: the interpreter of the environment.
        system: variables of every program of a job.
        starter: those of the process that started the service.
        has_environments: whether the interpreter supports virtual environments; else the one to install into is the
            folder of a user to it.
    """
    kept = network_variables(starter)
    folder = os.path.dirname(os.path.dirname(python))
    variables = {**system, **kept, "PYTHONUSERBASE": folder, "VIRTUAL_ENV": folder}
    variables["PATH"] = os.pathsep.join((os.path.dirname(python), system["PATH"]))
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    found = [Installer("pip", [python, "-m", "pip", "install", *options, "-r"], variables)]
    if not has_environments:
        variables["PIP_USER"] = "1"
    elif uv := _uv(starter):
        command = [uv, "pip", "install", "--python", python, "--compile-bytecode", "--no-progress", "-r"]
        found.insert(0, Installer("uv", command, {**_of_pip_for_uv(variables, folder), **variables}))
    return found


def network_variables(starter: Mapping[str, str], prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    """The variables of the starter for a program that installs: those of its kin, and the way to the network."""
    prefixes = (*_PREFIXES, *prefixes)
    return {
        name: value for name, value in starter.items()
        if name not in _WITHOUT and (name.startswith(prefixes) or name.upper() in _NAMES)
    }  # fmt: skip


def _uv(starter: Mapping[str, str]) -> Optional[str]:
    """The path of uv, on the path of the starter or beside the interpreter of the service."""
    beside = os.path.dirname(sys.executable)
    return shutil.which("uv", path=os.pathsep.join((starter.get("PATH", os.defpath), beside)))


def _of_pip_for_uv(variables: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The configuration of pip as variables of uv, which does not read it."""
    given = {}
    for option, value in _configured(variables, prefix):
        if option not in _AS_UV:
            continue
        words = value.split()
        if option == "no-index":
            words = [] if value.lower() in _FALSE else ["1"]
        if words:
            given[_AS_UV[option]] = ("," if option in _COMMAS else " ").join(words)
    return given


def _configured(variables: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    """The options of pip's configuration, in the order in which later ones count."""
    for path in _files(variables, prefix):
        parser = configparser.RawConfigParser(strict=False)
        with contextlib.suppress(OSError, ValueError, configparser.Error):
            parser.read(path, encoding="utf-8")
            for section in ("global", "install"):
                if parser.has_section(section):
                    yield from ((name.replace("_", "-"), value or "") for name, value in parser.items(section))
    for name, value in variables.items():
        if name.startswith("PIP_"):
            yield name[4:].lower().replace("_", "-"), value


def _files(variables: Mapping[str, str], prefix: str) -> list[str]:
    """Where pip looks for its configuration, the most general file first."""
    named = variables.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = variables.get("HOME", os.path.expanduser("~"))
    general = variables.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    own = variables.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return [
        *(os.path.join(folder, "pip", "pip.conf") for folder in reversed(general.split(os.pathsep))),
        "/etc/pip.conf",
        os.path.join(home, ".pip", "pip.conf"),
        os.path.join(own, "pip", "pip.conf"),
        os.path.join(prefix, "pip.conf"),
        *([named] if named else []),
    ]
