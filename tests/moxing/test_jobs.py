"""Jobs import `moxing`, and so does every process that they start; it reads and writes the buckets of the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelarts.session import Session
from tests.support.files import put
from tests.support.interpreters import oldest_interpreter
from tests.support.jobs import estimator, logs, put_code
from tests.support.processes import end_service

SCRIPT = """
import argparse, multiprocessing, os, subprocess, sys
import moxing as mox
import logging

def spawned(url):
    import moxing.pytorch as mox
    mox.file.write(url, "spawned")

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data_url")
    parser.add_argument("--train_url")
    parser.add_argument("--init_method")
    args = parser.parse_args()
    logging.info("logged by info")
    mox.file.copy_parallel(args.data_url, "data")
    print("copied", sorted(os.listdir("data")), mox.file.list_directory(args.train_url))
    out = args.train_url + "/out"
    write = "import moxing as mox, sys; mox.file.append(sys.argv[1] + '/' + sys.argv[2], sys.version.split()[0])"
    for name, command in {
        "child": ["python", "-c", write],
        "isolated": ["python", "-I", "-c", write],
        "session": [sys.executable, "-c", write],
    }.items():
        subprocess.check_call(command + [out, name], start_new_session=name == "session")
    subprocess.check_call([sys.executable, "-c", write, out, "cleaned"], env={})
    os.environ["WRITE"] = write
    assert not os.system('export PYTHONPATH=/x; python -c "$WRITE" %s bash' % out)
    assert not os.system('export PYTHONPATH=$PYTHONPATH:/x; python3 -c "$WRITE" %s appended' % out)
    worker = multiprocessing.get_context("spawn").Process(target=spawned, args=(out + "/spawned",))
    worker.start()
    worker.join()
    mox.file.copy_parallel("data", os.path.join(out, "data"))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("state")
    yield place
    end_service(place)


@pytest.fixture(scope="module")
def session(home: Path):
    """A session on a service whose jobs of MXNet run in the oldest interpreter there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELARTS_LOCAL_PYTHON", json.dumps({"MXNet": oldest_interpreter()}))
        with Session.local(home) as opened:
            opened.obs.create_bucket("bucket")
            yield opened


ENGINES = [("PyTorch", "PyTorch-1.0.0-python3.6"), ("MXNet", "MXNet-1.2.1-python3.6")]


@pytest.mark.parametrize(("engine", "version"), ENGINES)
def test_a_script_and_its_children_use_buckets(session: Session, home: Path, tmp_path: Path, engine: str, version: str):
    script = SCRIPT if engine == "PyTorch" else SCRIPT.replace("--init_method", "--num_gpus")
    put_code(session, tmp_path, script)
    bucket = home / "local" / "buckets" / "bucket"
    put(bucket / "in" / "a.txt")
    put(bucket / "in" / "s" / "b.txt", "b")
    new = estimator(session, framework_type=engine, framework_version=version, output_path=f"/bucket/{engine}/")
    job = new.fit(inputs="/bucket/in/", wait=True)

    (log,) = logs(job)
    infos = "".join(f"INFO:root:{text}\n" for text in ("Using MoXing-v2.5.0-standin", "logged by info", "Listing OBS"))
    assert f"{infos}copied ['a.txt', 's'] []\n" in log
    out = bucket / engine / "out"
    assert {path.name for path in out.iterdir()} == {
        "child",
        "isolated",
        "session",
        "cleaned",
        "bash",
        "appended",
        "spawned",
        "data",
    }
    assert (out / "data" / "s" / "b.txt").read_text(encoding="utf-8") == "b"
