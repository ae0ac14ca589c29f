"""A micromamba for tests, and channels for it: real ones cannot be had from the registries that tests reach.

The program takes the documented command line of micromamba, `create --yes --prefix FOLDER --file FILE`, and that of
conda, `env create --prefix FOLDER --file FILE`. It reads the file as YAML, chooses packages from channels that are
folders by their `repodata.json`, unpacks them, and lets the pip of the environment install the rest.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import textwrap
from collections.abc import Mapping
from pathlib import Path

import yaml

_PROGRAM = """#!{python}
import sys
sys.path[:0] = {path!r}
from tests.support.conda_tool import main
main(sys.argv, {calls!r})
"""
_PIP = """
import runpy, sys
sys.path.insert(0, {site!r})
del sys.modules["pip"]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def install(folder: Path, name: str = "micromamba") -> Path:
    """Put the program into a folder; each call of it adds a line to the file `calls` there."""
    program = folder / name
    path = [str(Path(__file__).parents[2]), str(Path(yaml.__file__).parents[1])]
    program.write_text(_PROGRAM.format(python=sys.executable, path=path, calls=str(folder / "calls")))
    program.chmod(0o755)
    return program


def channel(folder: Path, *packages: Mapping[str, object]) -> str:
    """Create a channel with packages of `package`, in the format that conda and its kin read; returns its URL."""
    noarch = folder / "noarch"
    noarch.mkdir(parents=True)
    index = {}
    for one in packages:
        file = f"{one['name']}-{one['version']}-0.tar.bz2"
        record = {"name": one["name"], "version": one["version"], "build": "0", "build_number": 0, "depends": [],
                  "subdir": "noarch", "noarch": "generic"}  # fmt: skip
        index[file] = record
        files: dict[str, str] = dict(one["files"])  # type: ignore[call-overload]
        with tarfile.open(noarch / file, "w:bz2", compresslevel=1) as archive:
            info = {"info/index.json": json.dumps(record), "info/files": "".join(f"{name}\n" for name in files)}
            for name, text in {**info, **files}.items():
                _add(archive, name, text)
    (noarch / "repodata.json").write_text(json.dumps({"info": {"subdir": "noarch"}, "packages": index}))
    return f"file://{folder}"


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    if text.startswith("-> "):
        entry.type, entry.linkname = tarfile.SYMTYPE, text[3:]
        archive.addfile(entry)
        return
    content = text.encode()
    entry.size, entry.mode = len(content), 0o755 if name.startswith("bin/") else 0o644
    archive.addfile(entry, io.BytesIO(content))


def package(name: str, version: str, files: Mapping[str, str]) -> Mapping[str, object]:
    """A package: paths and their texts; `-> path` is a link."""
    return {"name": name, "version": version, "files": files}


def python_package() -> Mapping[str, object]:
    """Python as a package: a link to that of the tests, which finds its packages in the environment."""
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    version = "{}.{}.{}".format(*sys.version_info[:3])
    configuration = f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {version}\n"
    files = {"bin/python": f"-> {base}", "pyvenv.cfg": configuration, f"{_SITE}/README.txt": "packages"}
    return package("python", version, files)


def pip_package() -> Mapping[str, object]:
    """Pip as a package: it runs the pip of the tests."""
    import pip

    program = _PIP.format(site=str(Path(pip.__file__).parents[1]))
    return package("pip", pip.__version__, {f"{_SITE}/pip/__init__.py": "", f"{_SITE}/pip/__main__.py": program})


_SITE = "lib/python{}.{}/site-packages".format(*sys.version_info[:2])


def module_package(name: str, version: str, text: str) -> Mapping[str, object]:
    """A package with a Python module."""
    return package(name, version, {f"{_SITE}/{name}.py": textwrap.dedent(text)})


# --- the program


def main(argv: list[str], calls: str) -> None:
    """Do what the command line says."""
    import argparse

    words = argv[1:]
    is_conda = Path(argv[0]).name != "micromamba"
    parser = argparse.ArgumentParser()
    for word in ("env", "create") if is_conda else ("create",):
        parser.add_argument(word, choices=[word])
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("--prefix", required=True, type=Path)
    parser.add_argument("--file", required=True, type=Path)
    given = parser.parse_args(words)
    content = yaml.safe_load(given.file.read_text())
    with Path(calls).open("a") as file:
        file.write(json.dumps({"argv": argv, "content": content, "environment": dict(os.environ)}) + "\n")
    if not given.yes and not is_conda:
        sys.exit("Confirm changes: [Y/n] error    libmamba Aborted")
    if given.prefix.exists():
        sys.exit("CondaValueError: prefix already exists: " + str(given.prefix))
    _create(given.prefix, content)


def _create(prefix: Path, content: Mapping[str, list[object]]) -> None:
    import subprocess

    wanted = [one for one in content["dependencies"] if isinstance(one, str)]
    of_pip = [line for one in content["dependencies"] if isinstance(one, dict) for line in one["pip"]]
    print("info     libmamba Solving", ", ".join(wanted), flush=True)
    if "slow" in wanted:
        subprocess.run(["sleep", "60"], check=True)
    channels = content.get("channels") or filter(None, os.environ.get("CONDA_CHANNELS", "").split(","))
    urls = [str(url) for url in channels]
    chosen = [_chosen(one, urls) for one in wanted]
    missing = [one for one, archive in zip(wanted, chosen) if archive is None]
    if missing:
        sys.exit(f"error    libmamba Could not solve for environment specs\n    {', '.join(missing)} does not exist")
    (prefix / "conda-meta").mkdir(parents=True)
    for archive in filter(None, chosen):
        with tarfile.open(archive) as opened:
            for entry in opened.getmembers():
                if not entry.name.startswith("info/"):
                    opened.extract(entry, prefix)
        (prefix / "conda-meta" / f"{archive.name[: -len('.tar.bz2')]}.json").write_text("{}")
    if of_pip:
        listed = prefix / "conda-meta" / "requirements.txt"
        listed.write_text("\n".join(of_pip))
        sys.exit(subprocess.call([str(prefix / "bin" / "python"), "-m", "pip", "install", "-U", "-r", str(listed)]))


def _chosen(wanted: str, channels: list[str]) -> Path | None:
    """The newest package that satisfies `name`, `name=1.2` or `name>=1.2`."""
    name, operator, version = wanted, "", ""
    for sign in (">=", "==", "="):
        if sign in wanted:
            name, operator, version = wanted.partition(sign)
            break
    found = []
    for url in channels:
        noarch = Path(url[len("file://") :]) / "noarch"
        for file, record in json.loads((noarch / "repodata.json").read_text())["packages"].items():
            numbers, limit = _numbers(record["version"]), _numbers(version)
            fits = numbers >= limit if operator == ">=" else numbers[: len(limit)] == limit
            if record["name"] == name.strip() and fits:
                found.append((numbers, noarch / file))
    return max(found)[1] if found else None


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(".")] if text else []
