"""`import moxing` as jobs do it: from a folder on the path, in interpreters without this package, old ones too."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import modelarts
from modelarts.local.runtime.script_path import SCRIPT_PATH
from modelarts.moxing.framework.util import compat
from tests.support.cases import case
from tests.support.interpreters import oldest_interpreter

PACKAGE = Path(modelarts.__file__).parent / "moxing"
OLDEST = oldest_interpreter()
LINE = "INFO:root:Using MoXing-v2.5.0-standin\n"


def run(code: str, interpreter: str = sys.executable, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code with `moxing` on the path, and without the packages of the interpreter."""
    environment = {"PYTHONPATH": SCRIPT_PATH, "PYTHONIOENCODING": "utf-8", **variables}
    return subprocess.run(
        [interpreter, "-S", "-c", code], env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def printed(code: str, **variables: str) -> str:
    """What the code prints in the oldest interpreter; it must not fail."""
    done = run(code, OLDEST, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- names and modules


def test_nothing_else_is_on_the_path():
    assert {path.name for path in Path(SCRIPT_PATH).iterdir()} - {"__pycache__"} == {"moxing"}


def test_an_interpreter_that_is_too_old_is_told_so():
    done = run("import sys; sys.version_info = (2, 7, 18); import moxing")

    assert done.stderr.splitlines()[-1].startswith("ImportError: moxing on the local service needs Python 3.6 or later")


IMPORTS = [
    "import moxing as mox; mox.file.exists",
    "import moxing; moxing.file.exists",
    "import importlib; importlib.import_module('moxing').file.exists",
    "import moxing.pytorch as mox; mox.file.exists",
    "import moxing.tensorflow as mox; mox.file.exists; assert mox.cache() is None",
    "import moxing.mxnet as mox; mox.file.exists",
    "from moxing.framework import file; file.exists",
    "from moxing.file import copy_parallel; import moxing.file as f, moxing; assert f is moxing.file",
    "from moxing.framework.file import file_io; file_io.copy_parallel; file_io._LARGE_FILE_METHOD = 1",
    "import moxing.framework.file.file_io as f; f.exists; f._NUMBER_OF_PROCESSES = f.NUMBER_OF_PROCESSES = 1",
    "from moxing.framework.util import runtime; runtime.reset_logger(level=30)",
    "from moxing.framework.util import compat; assert compat.as_str(b'x') == 'x' == compat.as_str('x')",
    "from moxing import file, framework, pytorch; pytorch.file.exists",
    "import moxing.pytorch, sys; assert not {'torch', 'modelarts', 'tempfile', 'typing', 'shutil'} & set(sys.modules)",
]


def test_every_form_of_import_works_in_the_oldest_interpreter():
    assert printed("\n".join(f"exec({form!r}, {{}})" for form in IMPORTS) + "\nprint('ok')") == "ok\n"


def test_row_104_the_modules_are_the_same():
    code = """
import moxing, moxing.pytorch, moxing.framework.file.file_io
print(moxing.pytorch.file is moxing.file, moxing.framework.file.file_io.copy is moxing.file.copy)
"""
    assert printed(code) == "True True\n"


def test_row_103_the_training_framework_is_not_there():
    code = """
import moxing as mox, moxing.tensorflow
def said(statement, kind):
    try: exec(statement)
    except kind as error: print(error)
said('mox.run()', AttributeError)
said('mox.run()', NotImplementedError)
said('from moxing.tensorflow import ModelSpec', ImportError)
said('import moxing.tensorflow.datasets', ImportError)
said('from moxing.pytorch.executor import x', ImportError)
said('from moxing.framework.util import multiprocessing', ImportError)
said('mox.file.upload', NotImplementedError)
print(hasattr(mox, 'ModelSpec'))
"""
    lines = printed(code).splitlines()

    rest = (
        " belongs to the MoXing training framework, which is not provided here; only moxing.file is. Use the API of "
        "the engine itself. docs/reference/moxing.md lists what there is."
    )
    names = ["run", "run", "tensorflow.ModelSpec", "tensorflow.datasets", "pytorch.executor",
             "framework.util.multiprocessing"]  # fmt: skip
    assert lines[:6] == [f"moxing.{name}{rest}" for name in names]
    assert lines[6].startswith("moxing.file.upload is not one of the functions that are provided here")
    assert lines[7] == "False"


@pytest.mark.parametrize("order", ["import moxing; from modelarts import moxing as mox",
                                   "from modelarts import moxing as mox; import moxing"])  # fmt: skip
def test_both_names_are_one_package(order: str):
    code = f"""
{order}
import moxing.mxnet, modelarts.moxing.pytorch, modelarts.moxing.framework.file.file_io as f
print(mox is moxing, moxing.mxnet.file is mox.file, modelarts.moxing.pytorch.file is mox.file, f.copy is mox.file.copy)
"""
    done = run(code, PYTHONPATH=f"{PACKAGE.parents[1]}:{SCRIPT_PATH}")

    assert (done.stdout, done.stderr) == ("True True True True\n", LINE)


def test_the_sdk_leaves_the_loggers_alone():
    done = run("from modelarts import moxing; import logging; logging.info('m'); moxing.file.exists('x')",
               PYTHONPATH=str(PACKAGE.parents[1]))  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_a_package_of_the_script_itself_goes_first(tmp_path: Path):
    (tmp_path / "moxing.py").write_text("own = True", encoding="utf-8")

    done = run("import moxing; print(moxing.own)", PYTHONPATH=f"{tmp_path}:{SCRIPT_PATH}")

    assert done.stdout == "True\n"


# --- logging


def test_row_98_silent_mode():
    assert run("import moxing", OLDEST, MOX_SILENT_MODE="1").stderr == ""
    assert run("import moxing", OLDEST, MOX_SILENT_MODE="0").stderr == LINE


@pytest.mark.parametrize("logger", ["logging", "logging.getLogger()"])
def test_row_99_info_is_shown(logger: str):
    done = run(f"import moxing, logging; {logger}.info('m')", OLDEST)

    assert done.stderr == f"{LINE}INFO:root:m\n"


def test_row_100_the_level_can_be_set():
    code = """
import moxing, logging
from moxing.framework.util import runtime
runtime.reset_logger(level=logging.WARNING)
logging.info('m')
"""
    assert run(code, OLDEST).stderr == LINE


def test_row_86_a_log_in_a_bucket(tmp_path: Path):
    (tmp_path / "local" / "buckets" / "bucket").mkdir(parents=True)
    code = """
import logging, moxing as mox
stream = mox.file.File('obs://bucket/log/job.log', 'w')
logging.basicConfig(stream=stream)
logging.info('m')
stream.flush()
print(mox.file.read('obs://bucket/log/job.log'), end='')
"""
    assert printed(code, MODELARTS_MODE="local", MODELARTS_HOME=str(tmp_path)) == "INFO:root:m\n"


def test_a_file_that_is_not_closed_is_written_at_the_end(tmp_path: Path):
    (tmp_path / "local" / "buckets" / "bucket").mkdir(parents=True)
    code = """
import os, moxing as mox
mox.file.File('obs://bucket/dropped', 'w').write('1')
kept = mox.file.File('obs://bucket/kept', 'w')
kept.write('2')
child = os.fork()
if not child:
    raise SystemExit
os.waitpid(child, 0)
assert not mox.file.exists('obs://bucket/kept')
kept.write('3')
"""
    printed(code, MODELARTS_MODE="local", MODELARTS_HOME=str(tmp_path))

    bucket = tmp_path / "local" / "buckets" / "bucket"
    assert {path.name: path.read_text(encoding="utf-8") for path in bucket.iterdir()} == {"dropped": "1", "kept": "23"}


# --- what it is written in


def test_the_syntax_is_that_of_python_3_6():
    for path in sorted(PACKAGE.rglob("*.py")):
        with case(path):
            tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
            imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            assert "__future__" not in imported


def test_text_and_bytes():
    assert (compat.as_str("é".encode()), compat.as_text("x"), compat.as_bytes("é")) == ("é", "x", b"\xc3\xa9")


def test_rows_101_and_102_copies_in_the_background(tmp_path: Path):
    code = """
import os, sys, time, moxing as mox
bucket, folder = sys.argv[1:]
def wait(url):
    end = time.time() + 20
    while not mox.file.exists(url) and time.time() < end:
        time.sleep(0.02)
    assert mox.file.exists(url), url
os.makedirs(folder + '/s')
mox.file.write(folder + '/one', '1')
start = time.time()
assert mox.file.background_sync_copy(folder, 'obs://bucket/bg', seconds=0.1) is None
assert time.time() - start < 1
wait('obs://bucket/bg/one')
os.rename(bucket, bucket + '-away')
time.sleep(0.3)
os.rename(bucket + '-away', bucket)
mox.file.write(folder + '/s/two', '2')
wait('obs://bucket/bg/s/two')
print(mox.file.list_directory('obs://bucket/bg', recursive=True))
"""
    bucket = tmp_path / "local" / "buckets" / "bucket"
    bucket.mkdir(parents=True)
    environment = {"PYTHONPATH": SCRIPT_PATH, "MODELARTS_MODE": "local", "MODELARTS_HOME": str(tmp_path)}
    command = [OLDEST, "-S", "-c", code, str(bucket), str(tmp_path / "L")]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)

    assert done.stdout == "['one', 's', 's/two']\n", done.stderr
    assert "background_sync_copy" in done.stderr


@pytest.mark.parametrize("interpreter", sorted({OLDEST, sys.executable}), ids=lambda path: Path(path).parents[1].name)
def test_a_tour_through_all_functions(tmp_path: Path, interpreter: str):
    (tmp_path / "local" / "buckets" / "bucket").mkdir(parents=True)
    environment = {"PYTHONPATH": SCRIPT_PATH, "MODELARTS_MODE": "local", "MODELARTS_HOME": str(tmp_path),
                   "PYTHONIOENCODING": "utf-8"}  # fmt: skip
    tour = str(Path(__file__).with_name("tour.py"))

    done = subprocess.run(
        [interpreter, "-S", "-W", "error", tour, str(tmp_path / "L")],
        env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip

    assert done.stdout == "done file\n", done.stderr


def test_row_97_no_endpoint():
    code = """
import moxing as mox
try: mox.file.list_directory('obs://b/k')
except RuntimeError as error: print(error)
mox.file.set_auth(ak='A', sk='S', server='h:1')
try: mox.file.exists('obs://b/k')
except RuntimeError as error: print(error)
"""
    first, second = printed(code).splitlines()

    assert first == "server is not set correctly"
    assert second.startswith("moxing needs the package `modelarts` for buckets of the cloud")
