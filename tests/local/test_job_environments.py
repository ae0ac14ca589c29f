"""`Estimator(environment=…)`: environments by conda, virtual ones, and those that this machine cannot have."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modelarts.cli.main import cli
from modelarts.environment import Environment
from modelarts.environment.conda_env import CondaDependencies
from modelarts.errors import ArgumentError, InvalidArgument
from modelarts.estimator import Estimator
from modelarts.job import TrainingJob
from modelarts.local import pythons
from modelarts.local.environments import EnvironmentCache
from modelarts.local.paths import LocalHome, read_json
from modelarts.local.processes import Process
from modelarts.session import Session
from tests.support import conda_tool
from tests.support.files import common_user
from tests.support.jobs import until
from tests.support.processes import end_service
from tests.support.wheels import wheel

HERE = "python={}.{}".format(*sys.version_info[:2])
REPORT = """\
import importlib, os, sys
for name in ("greeting", "needed", "requests"):
    try:
        module = importlib.import_module(name)
        print("HAS", name, module.VERSION)
    except ImportError:
        print("LACKS", name)
print("SET", os.environ.get("CONDA_DEFAULT_ENV"), os.environ.get("CONDA_PREFIX"), os.environ.get("GREETING_DATA"))
"""


def environment(name: str = "mine", **packages: Any) -> Environment:
    return Environment(name, CondaDependencies.create(**packages))


@contextmanager
def service(home: Path, **variables: str) -> Iterator[Session]:
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"PIP_NO_COMPILE": "1", "PIP_NO_INDEX": "1", **variables}.items():
                patch.setenv(name, value)
            opened = Session.local(home)
        with opened:
            yield opened
    finally:
        end_service(home)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "needed", "1.0")
    return folder


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "train.py").write_text(REPORT)
    return folder


class Machine:
    """A service, with what its jobs leave."""

    def __init__(self, session: Session, home: Path, code: Path) -> None:
        self.session = session
        self.home = LocalHome.of(home)
        self.code = code

    def fit(self, wanted: Environment, **changes: Any) -> TrainingJob:
        arguments = {"train_instance_type": "local", "code_dir": self.code, "boot_file": "train.py", **changes}
        return Estimator(self.session, train_instance_count=1, environment=wanted, **arguments).fit()

    def ended(self, wanted: Environment, **changes: Any) -> tuple[Any, str]:
        """The details of a job with this environment, and its log."""
        job = self.fit(wanted, **changes)
        info = until(lambda: (found := job.get_job_info()).status >= 10 and found, 60)
        return info, self.home.job(job.version_id).log(0).read_text()

    def keys(self) -> set[str]:
        return {one.key for one in EnvironmentCache(str(self.home.packages)).environments()}


# --- by conda


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a micromamba and a conda."""
    folder = tmp_path_factory.mktemp("tools")
    conda_tool.install(folder, "conda")
    conda_tool.install(folder)
    return folder


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    greeting = conda_tool.module_package("greeting", "1.5.0", "VERSION = '1.5.0'\n")
    data = conda_tool.package("greeting_data", "2.0", {"etc/conda/activate.d/data.sh": "export GREETING_DATA=there\n"})
    packages = (conda_tool.python_package(), conda_tool.pip_package(), greeting, data)
    return conda_tool.channel(tmp_path_factory.mktemp("channel"), *packages)


@pytest.fixture(scope="module")
def with_conda(tmp_path_factory: pytest.TempPathFactory, tools: Path, wheels: Path, code: Path) -> Iterator[Machine]:
    """A service that finds micromamba on its path, while an environment of conda is active there."""
    home = tmp_path_factory.mktemp("conda") / "state"
    path = {"PATH": f"{tools}:/usr/bin:/bin", "PIP_FIND_LINKS": str(wheels), "CONDA_PREFIX": "/active"}
    with service(home, **path, MAMBA_ROOT_PREFIX="/root-prefix", CONDA_EXE=str(tools / "conda")) as session:
        yield Machine(session, home, code)


def calls(tools: Path) -> list[Any]:
    return [json.loads(line) for line in (tools / "calls").read_text().splitlines()]


def test_an_environment_is_created_by_micromamba_once(with_conda: Machine, tools: Path, channel: str) -> None:
    wanted = environment(
        "greet", channels=[channel], conda_packages=[HERE, "greeting>=1", "greeting_data"], pip_packages=["needed"]
    )

    first, log = with_conda.ended(wanted)
    second, log_of_second = with_conda.ended(wanted, train_instance_type="modelarts.vm.cpu.2u")

    assert (first.status, second.status) == (10, 10), log + log_of_second
    assert "HAS greeting 1.5.0" in log and "HAS needed 1.0" in log and "LACKS requests" in log
    (prefix,) = [Path(word) for word in log.split() if word.startswith(str(with_conda.home.packages))][-1:]
    assert f"SET greet {prefix} there" in log
    assert "HAS greeting 1.5.0" in log_of_second and "has its packages" in log_of_second
    (call,) = calls(tools)
    assert call["argv"][:4] == [str(tools / "micromamba"), "create", "--yes", "--prefix"]
    assert call["content"] == {
        "channels": [channel],
        "dependencies": [HERE, "greeting>=1", "greeting_data", "pip", {"pip": ["needed"]}],
    }
    assert call["environment"]["MAMBA_ROOT_PREFIX"] == "/root-prefix"
    assert "CONDA_PREFIX" not in call["environment"]
    assert first.environment == {
        "name": "greet", "channels": [channel], "pip_packages": ["needed"],
        "conda_packages": [HERE, "greeting>=1", "greeting_data"],
    }  # fmt: skip


@pytest.mark.parametrize("named_by", ["CONDA_EXE", "MODELARTS_LOCAL_CONDA"])
def test_an_environment_is_created_by_the_conda_that_is_named(
    tmp_path: Path, channel: str, code: Path, named_by: str
) -> None:
    tool = conda_tool.install(tmp_path, "conda")
    variables = {"PATH": "/usr/bin:/bin", named_by: str(tool), "CONDA_CHANNELS": channel}

    with service(tmp_path / "state", **variables) as session:
        info, log = Machine(session, tmp_path / "state", code).ended(environment(conda_packages=["greeting"]))

    assert info.status == 10, log
    assert "HAS greeting 1.5.0" in log
    (call,) = calls(tmp_path)
    assert call["argv"][:4] == [str(tool), "env", "create", "--prefix"]
    assert call["content"] == {"dependencies": ["greeting", "python"]}


def test_what_conda_reports_is_the_reason_of_the_failure(with_conda: Machine, channel: str) -> None:
    before = with_conda.keys()

    info, log = with_conda.ended(environment(channels=[channel], conda_packages=["nowhere=1"]))
    no_channel, _ = with_conda.ended(environment(conda_packages=["nowhere"]))
    no_python, _ = with_conda.ended(environment(conda_packages=["python=9"]))

    assert info.status == no_channel.status == no_python.status == 11
    reason = "micromamba: error libmamba Could not solve for environment specs nowhere=1 does not exist"
    assert info.error_result == f"environment 'mine' cannot be created: {reason}"
    assert "nowhere=1 does not exist" in log
    assert "channels=[…] names where packages of conda come from" in no_channel.error_result
    assert "with the setting local_conda=none it is a virtual environment" in no_python.error_result
    assert with_conda.keys() == before


def test_a_job_is_stopped_while_its_environment_is_created(with_conda: Machine, channel: str) -> None:
    job = with_conda.fit(environment(channels=[channel], conda_packages=["slow"]))
    folder = with_conda.home.job(job.version_id)
    until(lambda: folder.log(0).exists() and "Solving slow" in folder.log(0).read_text())
    (creating,) = read_json(folder.workers)

    job.stop_job_version()

    until(lambda: job.get_job_info().status == 12)
    until(lambda: not Process(**creating).is_running())


def test_an_environment_is_listed(with_conda: Machine, channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_conda.ended(environment(channels=[channel], conda_packages=["python", "greeting"]))
    monkeypatch.setenv("MODELARTS_HOME", str(with_conda.home.root.parent))

    listed = CliRunner().invoke(cli, ["local", "environments"]).output

    assert any(line.endswith("\tpython, greeting") for line in listed.splitlines()), listed


# --- without conda


@pytest.fixture(scope="module")
def without_conda(tmp_path_factory: pytest.TempPathFactory, wheels: Path, code: Path) -> Iterator[Machine]:
    """A service without conda, on the path of which is a Python 3.6.15, as its script says."""
    folder = tmp_path_factory.mktemp("plain")
    other = folder / "python3.6"
    other.write_text(f'#!/bin/sh\necho "$*" | grep -q version_info && echo 3.6.15 || exec {sys.executable} "$@"\n')
    other.chmod(0o755)
    variables = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "PIP_FIND_LINKS": str(wheels)}
    with service(folder / "state", **variables, MODELARTS_LOCAL_CONDA="none") as session:
        yield Machine(session, folder / "state", code)


def test_packages_of_pip_are_in_a_virtual_environment_without_those_of_the_service(without_conda: Machine) -> None:
    wanted = environment(pip_packages=["needed==1.0"], conda_packages=["python>=3.6", "pip"])

    info, log = without_conda.ended(wanted)
    _, log_of_second = without_conda.ended(wanted)

    assert info.status == 10, log
    assert "HAS needed 1.0" in log and "LACKS requests" in log and "LACKS greeting" in log
    assert "environment 'mine' is installed with pip" in log
    assert "environment 'mine' has Python {}.{} (".format(*sys.version_info[:2]) in log
    assert "has its packages" in log_of_second and "HAS needed 1.0" in log_of_second


def test_an_environment_without_packages_has_none(without_conda: Machine) -> None:
    info, log = without_conda.ended(Environment("bare"))

    assert info.status == 10, log
    assert "LACKS needed" in log and "LACKS requests" in log


def test_what_pip_cannot_install_is_the_reason_of_the_failure(without_conda: Machine) -> None:
    info, log = without_conda.ended(environment(pip_packages=["nowhere==1"]))

    assert info.status == 11
    assert info.error_result.startswith("environment 'mine' cannot be installed: ERROR: No matching distribution")
    assert "nowhere==1" in log


def test_an_environment_that_needs_conda_is_refused_before_there_is_a_job(without_conda: Machine) -> None:
    count = Estimator.get_job_list(without_conda.session).job_total_count

    with pytest.raises(InvalidArgument) as of_version:
        without_conda.fit(environment(pip_packages=["tensorflow==1.13.1"], conda_packages=["python=3.6.2"]))
    with pytest.raises(InvalidArgument) as of_package:
        without_conda.fit(environment(channels=["conda-forge"], conda_packages=[HERE, "cudatoolkit=10.1"]))

    assert "conda_packages=['python=3.6.2'] need conda, mamba or micromamba" in str(of_version.value)
    assert "write a version that is there: Python " in str(of_version.value) and "3.6.15" in str(of_version.value)
    assert "conda_packages=['cudatoolkit=10.1'] need conda" in str(of_package.value)
    assert "or name what pip can install in pip_packages" in str(of_package.value)
    assert Estimator.get_job_list(without_conda.session).job_total_count == count


def test_a_configuration_keeps_its_environment(without_conda: Machine) -> None:
    wanted = environment("kept", pip_packages=["needed"], conda_packages=["python>=3.6"])
    arguments: dict[str, Any] = {"train_instance_type": "local", "train_instance_count": 1, "environment": wanted}
    estimator = Estimator(without_conda.session, code_dir=without_conda.code, boot_file="train.py", **arguments)
    estimator.create_job_configs(config_name="kept")

    loaded = Estimator.from_job_configs(without_conda.session, "kept")

    assert (loaded.environment.name, loaded.environment.conda) == (wanted.name, wanted.conda)
    assert loaded.payload(job_name="kept")["config"]["environment"]["pip_packages"] == ["needed"]


# --- values

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"pip_packages": "requests"}, "pip_packages='requests': a list of texts; write pip_packages=['requests']"),
    ({"pip_packages": ["requests", 3]}, "pip_packages=3: each item is a text"),
    ({"pip_packages": [""]}, "pip_packages='': each item is a text"),
    ({"pip_packages": ["--index-url=https://me:word@example.com"]}, "is an option, not a package; set the index"),
    ({"pip_packages": ["-e ."]}, "pip_packages='-e .': is an option"),
    ({"pip_packages": ["requests --no-deps"]}, "is an option"),
    ({"pip_packages": ["a\n--pre"]}, "each item is one line"),
    ({"pip_packages": ["tensorflow=1.13.1"]}, "pip writes two equals signs: 'tensorflow==1.13.1'"),
    ({"pip_packages": ["needed wanted"]}, "a requirement such as tensorflow==1.13.1"),
    ({"pip_packages": ["./needed.whl"]}, "absolute path"),
    ({"pip_packages": {"requests": "1"}}, "a list of texts; write pip_packages=['requests']"),
    ({"conda_packages": ["--force"]}, "conda_packages='--force': is an option, not a package; set options"),
    ({"conda_packages": ["python 3 6", "b@d!"]}, "conda_packages='b@d!': a requirement such as python=3.6.2"),
    ({"channels": ["-c"]}, "channels='-c': is an option, not a channel"),
    ({"channels": "conda-forge"}, "channels='conda-forge': a list of texts; write channels=['conda-forge']"),
]


@pytest.mark.parametrize(("packages", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_wrong_packages_are_named(packages: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        CondaDependencies.create(**packages)

    assert message in str(caught.value)
    assert "word" not in str(caught.value)


RIGHT: dict[str, list[str]] = {
    "pip_packages": [
        "tensorflow==1.13.1", "Pillow>=8.0.1", "torch[extra] >=1,<2 ; python_version >= '3'", "a_b.c~=1.0",
        "needed @ https://example.com/needed.whl", "git+https://example.com/a.git@main#egg=a", "/data/needed-1.0.whl",
    ],
    "conda_packages": ["python=3.6.2", "numpy >=1.16,<2", "conda-forge::cudatoolkit=10.1=0", "pip", "mkl 2020.*"],
    "channels": ["conda-forge", "https://mirror.example.com/main", "file:///channel", "/channel", "pytorch/label/x"],
}  # fmt: skip


def test_documented_and_other_usual_packages_are_taken_as_they_are() -> None:
    created = CondaDependencies.create(**RIGHT)

    assert (created.pip_packages, created.conda_packages, created.channels) == tuple(RIGHT.values())


def test_an_environment_is_checked_when_it_is_used(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    wanted = environment()
    assert wanted.conda is not None
    wanted.conda.pip_packages.append("-r other.txt")
    estimator = Estimator(session, code_dir=tmp_path, boot_file="a.py", train_instance_type="local",
                          train_instance_count=1, environment=wanted)  # fmt: skip

    for value, message in {
        wanted: "environment.conda.pip_packages='-r other.txt': is an option",
        "tensorflow": "environment='tensorflow': an Environment of modelarts.environment",
    }.items():
        estimator.environment = value
        with pytest.raises(ArgumentError) as caught:
            estimator.fit()
        assert message in str(caught.value)
    with pytest.raises(ArgumentError, match="name=''"):
        Environment("")
    with pytest.raises(ArgumentError, match=r"conda=\['requests'\]"):
        Environment("a", ["requests"])  # type: ignore[arg-type]


def test_logins_and_tokens_in_urls_are_not_shown() -> None:
    created = environment(
        channels=["https://conda.example.com/t/my-token/main"], pip_packages=["a @ https://me:word@example.com/a.whl"]
    )

    assert "my-token" not in repr(created) and "word" not in repr(created)
    assert "conda.example.com/t/***/main" in repr(created)


def test_folders_of_other_users_have_no_interpreters() -> None:
    with common_user() as place:
        private, on_path = place / "private", place / "bin"
        private.mkdir()
        on_path.mkdir()
        (private / "python3.9").touch()
        (on_path / "python3.9").symlink_to(private / "python3.9")
        starter = {"HOME": str(private), "PATH": f"{private}:{on_path}", "PYENV_ROOT": str(private / "pyenv"),
                   "UV_PYTHON_INSTALL_DIR": str(private / "uv")}  # fmt: skip
        private.chmod(0)

        found = [each.version for each in pythons.available(starter)]

        private.chmod(0o700)
    assert found == [sys.version_info[:3]]


VERSIONS = {
    "python": "3.6.15 3.8.18 3.11.7", "python=3.6": "3.6.15", "python=3.6.2": "", "python==3.8.18": "3.8.18",
    "python>=3.8": "3.8.18 3.11.7", "python >=3.6,<3.11": "3.6.15 3.8.18", "python=3": "3.6.15 3.8.18 3.11.7",
    "python!=3.8.*": "3.6.15 3.11.7", "python 3.8.*": "3.8.18", "python~=3.8": "3.8.18 3.11.7",
    "python=3.6|>=3.11": "3.6.15 3.11.7", "Python=3.8.*": "3.8.18", "python==3.8": "", "python<3": "",
}  # fmt: skip


def test_requirements_of_python_mean_what_they_mean_to_conda() -> None:
    there = [(3, 6, 15), (3, 8, 18), (3, 11, 7)]

    found = {
        wanted: " ".join(".".join(map(str, version)) for version in there if pythons.satisfies(version, wanted))
        for wanted in VERSIONS
    }

    assert found == VERSIONS
    assert not any(
        map(pythons.is_requirement, ["python=3.8=build", "conda-forge::python", "pythonnet", "python-dateutil"])
    )
