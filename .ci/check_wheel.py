"""Checks the wheel and the source distribution as users get them: content, metadata, what they install and print."""

# ruff: noqa: T201 - what was measured is printed

from __future__ import annotations

import configparser
import email
import email.policy
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
MOST_DISTRIBUTIONS = 15
MOST_BYTES = 12_000_000
# What is not code must be listed in setup.cfg to be installed, and is easily forgotten.
DATA_FILES = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "modelarts").rglob("*")
    if path.is_file() and path.suffix not in (".py", ".pyc")
)
# One file of each part of the source distribution, which must be complete enough to read, test and change the package.
SOURCES = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "README.zh.md", ".ci/check_wheel.py",
           "benchmarks/__main__.py", "docs/README.md", "docs/samples/_bucket/src/pytorch_sentiment.py",
           "examples/first_job/data/points.csv", "notebooks/01_first_job.ipynb", "tests/conftest.py",
           "tests/contract/rest_v1.json", *DATA_FILES)  # fmt: skip
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
HINT = "pip install 'modelarts[local]'"

# Run in the fresh environment: bytes of each distribution that the wheel brought, itself included.
MEASURE = """
import json
from importlib.metadata import distributions

brought = [item for item in distributions() if item.metadata["Name"] not in ("pip", "setuptools")]
print(json.dumps({
    item.metadata["Name"]: sum(path.stat().st_size for path in map(item.locate_file, item.files) if path.exists())
    for item in brought
}))
"""

# Only an error of the SDK itself is caught: anything else is a traceback, and a failed check.
START_LOCAL = """
from modelarts.errors import ModelArtsError
from modelarts.session import Session

try:
    Session.local()
except ModelArtsError as error:
    print(error)
"""


def main() -> None:
    check_pins()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        wheel = build(scratch)
        check_content(wheel)
        check_metadata(wheel)
        check_sources(scratch / "dist")
        python = install(wheel, scratch)
        check_use(python, scratch)
        check_weight(python, scratch)


def check_pins() -> None:
    """The library must fit beside others: no requirement may ask for exactly one version."""
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = [options["options"]["install_requires"], *options["options.extras_require"].values()]
    requirements = [line.partition(";")[0].strip() for text in lists for line in text.splitlines()]
    pinned = [requirement for requirement in requirements if "==" in requirement]
    require(not pinned, f"setup.cfg pins {', '.join(pinned)}")


def build(scratch: Path) -> Path:
    # Without --wheel the wheel is made from the source distribution: so that one is whole too, and nothing that an
    # earlier build left in build/ gets in.
    run(sys.executable, "-m", "build", "--outdir", str(scratch / "dist"), str(ROOT))
    (wheel,) = (scratch / "dist").glob("*.whl")
    return wheel


def check_content(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    missing = [name for name in DATA_FILES if name not in names]
    require(not missing, f"the wheel lacks {', '.join(missing)}")
    foreign = [name for name in names if not re.match(r"modelarts(-[^/]+\.dist-info)?/", name)]
    require(not foreign, f"the wheel holds what is not the package: {', '.join(foreign)}")


def check_metadata(wheel: Path) -> None:
    """A package index shows this: who, where, for which Python, and a README whose links lead somewhere."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name), policy=email.policy.default)
    labels = {url.partition(",")[0] for url in metadata.get_all("Project-URL", [])}
    missing = {"Source", "Documentation", "Changelog", "Issues"} - labels
    require(not missing, f"no project URL for {', '.join(sorted(missing))}")
    require(bool(metadata["Author"]), "no author")
    classifiers = metadata.get_all("Classifier", [])
    missing = [python for python in PYTHONS if f"Programming Language :: Python :: {python}" not in classifiers]
    require(not missing, f"no classifier for Python {', '.join(missing)}")
    require("Operating System :: OS Independent" in classifiers, "the cloud part runs on every operating system")
    text = metadata.get_payload()
    require("# A first job" in text, "the description is not the README")
    relative = re.findall(r"\]\((?!https://|#)([^)]*)\)", text)
    require(not relative, f"links of the description lead nowhere on an index: {', '.join(relative)}")


def check_sources(dist: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    missing = [name for name in SOURCES if name not in names]
    require(not missing, f"the source distribution lacks {', '.join(missing)}")
    foreign = [name for name in names if re.search(r"(^|/)(__pycache__|\.venv|build|\.git|\.\w+_cache)(/|$)", name)]
    require(not foreign, f"the source distribution holds {', '.join(sorted(foreign))}")


def install(wheel: Path, scratch: Path) -> Path:
    venv.create(scratch / "venv", with_pip=True)
    python = scratch / "venv" / "bin" / "python"
    run(str(python), "-m", "pip", "install", "--quiet", str(wheel))
    return python


def check_use(python: Path, scratch: Path) -> None:
    # Away from the checkout and with a home of its own: only what is installed counts.
    away = {"cwd": scratch, "env": {**os.environ, "HOME": str(scratch), "MODELARTS_HOME": str(scratch / "state")}}
    run(str(python), "-c", "import modelarts.session, modelarts.estimator", **away)
    usage = run(str(python.with_name("modelarts")), "--help", **away)
    require("Usage: modelarts" in usage, f"modelarts --help says {usage!r}")
    said = run(str(python), "-c", START_LOCAL, **away)
    require(HINT in said, f"Session.local() without the extra must say {HINT!r}; it says {said!r}")


def check_weight(python: Path, scratch: Path) -> None:
    sizes = json.loads(run(str(python), "-I", "-c", MEASURE, cwd=scratch))
    for name, size in sorted(sizes.items()):
        print(f"{name:20} {size / 1e6:6.2f} MB")
    print(f"{len(sizes)} distributions {sum(sizes.values()) / 1e6:10.2f} MB")
    require(len(sizes) <= MOST_DISTRIBUTIONS, f"more than {MOST_DISTRIBUTIONS} distributions are installed")
    require(sum(sizes.values()) <= MOST_BYTES, f"more than {MOST_BYTES / 1e6:.0f} MB are installed")


def run(*command: str, **options: object) -> str:
    """What a command prints; the check ends when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    require(done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"check_wheel: {otherwise}")


if __name__ == "__main__":
    main()
