"""What a training process gets from its environment: variables and interpreter are made for it, not inherited."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from modelarts._wire.v1.variables import is_reserved
from modelarts.local.interpreters import own
from modelarts.local.paths import LocalHome
from modelarts.local.places import thin_venv
from modelarts.local.runtime.environment import JobEnvironment
from modelarts.session import Session
from tests.support.jobs import estimator, put_code
from tests.support.processes import end_service
from tests.support.wheels import wheel

STRAY = {
    "RANK": "3", "WORLD_SIZE": "8", "DATA_URL": "stray", "PYTHONPATH": "/stray", "PYTHONHASHSEED": "0",
    "PIP_INDEX_URL": "http://stray.invalid", "PIP_TARGET": "/stray", "HTTPS_PROXY": "http://stray.invalid:1",
    "VIRTUAL_ENV": "/stray", "HUAWEICLOUD_SDK_SK": "stray", "AWS_SECRET_ACCESS_KEY": "stray",
}  # fmt: skip
REPORT = """
import json, locale, os, subprocess, sys
shell = "command -v python; command -v python3; command -v pip; python -c 'import sys; print(sys.executable)'"
print("REPORT " + json.dumps({
    "env": dict(os.environ), "executable": sys.executable, "stdout": sys.stdout.encoding,
    "file": locale.getpreferredencoding(False),
    "shell": subprocess.check_output(["bash", "-c", shell]).decode().split(),
}), flush=True)
print("训练")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("state")
    yield place
    end_service(place)


@pytest.fixture(scope="module")
def session(home, tmp_path_factory):
    """A session on a service that was started in an environment full of things that are none of a job's business."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in STRAY.items():
            patch.setenv(name, value)
        patch.setenv("LC_ALL", "POSIX")
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("TZ", "Asia/Shanghai")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("user")))
        patch.setenv("MODELARTS_LOCAL_ENVIRONMENT", "WANDB_*")
        patch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"MXNet": str(engine(tmp_path_factory.mktemp("engine")))}))
        opened = Session.local(home)
    opened.obs.create_bucket("bucket")
    yield opened
    opened.close()


def engine(folder: Path) -> Path:
    """An interpreter without pip that has a package `enginelib`, as one that uv made would be."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/*/site-packages")
    (packages / "enginelib.py").write_text("VERSION = 'of the engine'\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def run(session, home):
    """Runs a script as a job, and returns its log."""

    def log_of(folder: Path, script: str, **changes: object) -> str:
        put_code(session, folder, script)
        job = estimator(session, **changes).fit(inputs="/bucket/data/")
        job.wait(timeout=120, show=False)
        return LocalHome.of(home).job(job.version_id).log(0).read_text(encoding="utf-8")

    return log_of


@pytest.fixture(scope="module")
def seen(run, tmp_path_factory):
    own = {"WANDB_API_KEY": "very secret", "LANG": "zh_CN.UTF-8"}
    log = run(tmp_path_factory.mktemp("code"), REPORT, environment_variables=own)
    assert "very secret" not in log.partition("REPORT ")[0]
    assert "\n训练\n" in log
    (line,) = (line for line in log.splitlines() if line.startswith("REPORT "))
    return json.loads(line.partition(" ")[2])


def test_variables_of_the_starter_stay_there(seen):
    assert [name for name in STRAY if "stray" in seen["env"].get(name, "")] == []
    assert {"RANK", "WORLD_SIZE", "HTTPS_PROXY", "PIP_TARGET"}.isdisjoint(seen["env"])


def test_what_belongs_to_the_machine_reaches_a_job(seen):
    assert seen["env"]["TZ"] == "Asia/Shanghai"
    assert Path(seen["env"]["HOME"]).is_dir()


def test_a_setting_names_further_variables_that_reach_a_job(seen):
    assert seen["env"]["WANDB_MODE"] == "offline"


def test_variables_of_the_user_reach_a_job_before_those_of_the_machine(seen):
    assert (seen["env"]["WANDB_API_KEY"], seen["env"]["LANG"]) == ("very secret", "zh_CN.UTF-8")


def test_users_cannot_replace_what_is_set_for_every_job(seen):
    of_machine = {"USER", "LOGNAME", "SHELL", "TZ", "LANG", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"}
    of_user = {"WANDB_API_KEY", "WANDB_MODE"}
    of_python = {"LC_CTYPE"}  # set by Python where the locale of LANG is not installed

    assert [name for name in seen["env"].keys() - of_machine - of_user - of_python if not is_reserved(name)] == []


def test_text_is_utf_8_whatever_the_locale_of_the_starter(seen):
    assert (seen["stdout"].lower(), seen["file"].lower()) == ("utf-8", "utf-8")
    assert seen["env"]["PYTHONIOENCODING"] == "utf-8"
    assert "LC_ALL" not in seen["env"]


def test_the_interpreter_is_the_same_for_children(seen):
    python, python3, pip, of_child = seen["shell"]

    assert python == of_child == seen["executable"]
    assert {Path(program).parent for program in (python3, pip)} == {Path(python).parent}


QUICK_PIP = """
import os
os.environ.update(PIP_NO_COMPILE="1", PIP_NO_WARN_CONFLICTS="1")  # which takes half of its time
"""
INSTALL = (
    QUICK_PIP
    + """
import subprocess, sys
wheels = os.path.join(os.path.dirname(__file__), "wheels")
subprocess.run([sys.executable, "-m", "pip", "install", "--no-index", "--find-links", wheels, "firstlib"])
os.system(f"pip3 install --user --no-index --find-links {wheels} secondlib")
code = "import firstlib as a, secondlib as b; print('FROM', a.__file__, b.__file__)"
os.system(f'python -c "{code}"; secondlib-program')
"""
)


ENGINE = {"framework_type": "MXNet", "framework_version": "MXNet-1.2.1-python3.6"}


def add_wheels(folder: Path, *names: str) -> None:
    (folder / "src" / "wheels").mkdir(parents=True)
    for name in names:
        wheel(folder / "src" / "wheels", name, program=True)


def packages_in_use(home: Path, log: str) -> list[str]:
    """The files that a script named after `FROM`, which must be in the folders of jobs."""
    (line,) = (line for line in log.splitlines() if line.startswith("FROM "))
    jobs = str(LocalHome.of(home).root / "jobs")
    assert all(path.startswith(jobs) for path in line.split()[1:]), log
    return line.split()[1:]


def test_what_a_script_installs_stays_in_its_job(run, home, tmp_path):
    add_wheels(tmp_path, "firstlib", "secondlib")

    log = run(tmp_path, INSTALL)

    assert len(packages_in_use(home, log)) == 2
    assert "secondlib 1.0 runs" in log
    found = "import importlib.util as u; print('FOUND', u.find_spec('firstlib'))"
    assert "FOUND None" in run(tmp_path, found)


INSTALL_IN_ENGINE = (
    QUICK_PIP
    + """
wheels = os.path.join(os.path.dirname(__file__), "wheels")
os.system(f"pip install --no-index --find-links {wheels} firstlib")
os.system("python -c \\"import firstlib; print('FROM', firstlib.__file__)\\"; firstlib-program")
"""
)


def test_an_engine_has_its_own_packages_those_of_the_job_and_no_others(run, home, tmp_path):
    """It has no pip of its own: the one of the installation below is used."""
    add_wheels(tmp_path, "firstlib")

    log = run(tmp_path, INSTALL_IN_ENGINE, **ENGINE)

    assert len(packages_in_use(home, log)) == 1
    assert "firstlib 1.0 runs" in log
    script = """
        import enginelib, importlib.util
        print("ENGINELIB", enginelib.VERSION, [importlib.util.find_spec(name) for name in ("pytest", "firstlib")])
    """
    assert "ENGINELIB of the engine [None, None]" in run(tmp_path, script, **ENGINE)


def test_pip_comes_from_the_installation_below_or_from_the_wheel_that_it_has(tmp_path):
    base = tmp_path / "base"
    python = own()._replace(base=str(base), sites=[])
    library = base / "lib" / f"python{python.version}"
    (library / "ensurepip" / "_bundled").mkdir(parents=True)
    with zipfile.ZipFile(library / "ensurepip" / "_bundled" / "pip-1.0-py3-none-any.whl", "w") as bundled:
        bundled.writestr("pip/__init__.py", "")
        bundled.writestr("pip/__main__.py", "print('of the wheel')")
    installed = library / "site-packages" / "pip" / "__main__.py"

    def pip(name: str) -> str:
        thin_venv.create(str(tmp_path / name), python)
        return subprocess.check_output([tmp_path / name / "bin" / "pip"], text=True)

    assert pip("first") == "of the wheel\n"
    installed.parent.mkdir(parents=True)
    installed.write_text("print('installed')")
    assert pip("second") == "installed\n"


def test_the_command_of_an_image_finds_the_same_interpreter(session, home, tmp_path):
    put_code(session, tmp_path, "")  # for the data
    command = "command -v python; command -v pip; python3 -c 'import sys; print(sys.executable)'"
    image = estimator(session, user_image_url="swr/image:1", user_command=command, code_dir=None, boot_file=None)
    job = image.fit(inputs="/bucket/data/")
    job.wait(timeout=60, show=False)

    log = LocalHome.of(home).job(job.version_id).log(0).read_text(encoding="utf-8")
    programs = [line for line in log.splitlines() if line.startswith("/")]
    assert [Path(program).name for program in programs] == ["python", "pip", "python3"]
    assert len({Path(program).parent for program in programs}) == 1


def variables(**starter: str) -> dict[str, str]:
    made = JobEnvironment(Path("/state"), starter=starter)
    return made.of_worker(Path("/node"), Path("/node/user-job-dir"), Path("/python"), {}, {})


LOCALES = [
    ({}, "C.UTF-8"),
    ({"LANG": "C"}, "C.UTF-8"),
    ({"LANG": "zh_CN.GB18030"}, "C.UTF-8"),
    ({"LANG": "zh_CN.UTF-8"}, "zh_CN.UTF-8"),
    ({"LANG": "de_DE.utf8", "LC_CTYPE": ""}, "de_DE.utf8"),
    ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, "C.UTF-8"),
]


@pytest.mark.parametrize(("starter", "lang"), LOCALES)
def test_the_locale_is_that_of_the_starter_if_it_is_utf_8(starter, lang):
    made = variables(**starter)

    assert made["LANG"] == lang
    assert {"LC_ALL", "LC_CTYPE"}.isdisjoint(made)


@pytest.mark.parametrize("home_of_user", ["", "/nonexistent"])
def test_a_user_without_a_home_gets_a_folder_of_the_node(home_of_user):
    assert variables(HOME=home_of_user)["HOME"] == "/node"


def test_programs_of_the_virtual_environment_of_the_service_are_not_those_of_jobs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "prefix", "/service/venv")

    assert variables(PATH="/service/venv/bin:/usr/bin")["PATH"] == "/usr/bin"
