"""A program that uses the cloud side: sessions, settings, buckets, estimators and errors.

It writes to the working directory, and prints `done` at the end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from modelarts._obs.cloud.buckets import HuaweiBuckets
from modelarts._obs.paths import PART
from modelarts.errors import ArgumentError, ObsError
from modelarts.estimator import Estimator
from modelarts.session import Session
from modelarts.visualization import VisualizationJob

PART_SIZE = 1 << 20
WINDOWS_PATHS = ("C:\\data\\x", "data\\x", "\\\\server\\share\\x")

bucket, profile = sys.argv[1:]


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def raised(error: type[Exception], call, *arguments, **options) -> str:
    try:
        call(*arguments, **options)
    except error as caught:
        return str(caught)
    raise AssertionError(f"{call} raised nothing")


session = Session(profile=profile)
obs = session.obs
obs.create_bucket(bucket)
for name in ("数据/a.csv", "数据/deep/b.csv", "src/train.py", "src/lib/数.py", "src/lib/notes.txt"):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(name.encode())
Path("src/.modelartsignore").write_bytes(b"*.txt\n")

# files in one piece, with the rename at the end of a download
obs.upload_dir("数据", f"obs://{bucket}/")
assert [item.url for item in obs.list(f"obs://{bucket}/", recursive=True)] == [
    f"obs://{bucket}/数据/a.csv", f"obs://{bucket}/数据/deep/b.csv",
]  # fmt: skip
for _ in range(2):  # the second time, files are replaced
    obs.download_dir(f"obs://{bucket}/数据/", "there", threads=4)
assert names(Path("there")) == ["数据/a.csv", "数据/deep/b.csv"]
obs.download_dir(f"obs://{bucket}/数据/", "there", sync=True, progress=True)

# a file in parts, with an interrupted download that is resumed
content = os.urandom(4 * PART_SIZE + 7)
Path("big.bin").write_bytes(content)
parts = HuaweiBuckets(
    obs.endpoint, session.client.endpoint.auth, Path("state"), session.client.transport.options, part_size=PART_SIZE
)
parts.upload_file("big.bin", f"obs://{bucket}/")
target = Path("there", "big.bin")


class Interrupted(Exception):
    pass


def interrupt(size: int) -> None:
    moved.append(size)
    if sum(moved) > 2 * PART_SIZE:
        raise Interrupted


moved: list[int] = []
plan = sys.modules["modelarts._obs.transfer.plan"]
create_meter = plan.create_meter


def watched(title: str, progress: object) -> object:
    meter = create_meter(title, False)
    meter.moved = on_moved
    return meter


plan.create_meter = watched
on_moved = interrupt
raised(Interrupted, parts.download_file, f"obs://{bucket}/big.bin", target, threads=1)
assert [name for name in names(Path("there")) if PART in name], "the part file is kept"
on_moved = moved.append
moved.clear()
parts.download_file(f"obs://{bucket}/big.bin", target)
plan.create_meter = create_meter
assert target.read_bytes() == content
assert [name for name in [*names(Path("there")), *names(Path("state"))] if PART in name or "jsonl" in name] == []

# local code and data
arguments = {
    "framework_type": "PyTorch", "framework_version": "PyTorch-1.0.0-python3.6", "code_dir": Path("src"),
    "boot_file": str(Path("src", "train.py")), "output_path": f"/{bucket}/output/",
    "train_instance_type": "modelarts.vm.cpu.2u", "train_instance_count": 1,
}  # fmt: skip
estimator = Estimator(session, **arguments)
payload = estimator.payload("create_training_job_config", config_name="config", inputs="数据")
folder = payload["app_url"]
assert folder.startswith("/modelarts-") and folder.endswith("/src/"), folder
assert payload["boot_file_url"] == f"{folder}train.py" and payload["data_url"].endswith("/数据/")
config = estimator.create_job_configs(config_name=f"config-{bucket}", inputs="数据")
assert config.get_job_configs_info()["app_url"] == folder
found = [item.url for item in obs.list(f"obs:/{folder}", recursive=True)]
assert found == [f"obs:/{folder}lib/数.py", f"obs:/{folder}train.py"], found
config.delete_job_configs()

# errors
for path in WINDOWS_PATHS:
    assert f"there is no local file {path!r}" in raised(ObsError, obs.upload_file, path, f"obs://{bucket}/")
    assert f"there is no local folder {path!r}" in raised(ObsError, obs.upload_dir, path, f"obs://{bucket}/")
    assert "an OBS path is written" in raised(ObsError, obs.list, path)
    missing = Estimator(session, **{**arguments, "code_dir": path})
    assert f"code_dir={path!r}" in raised(ArgumentError, missing.payload)
assert "there is no bucket" in raised(ObsError, obs.list, f"obs://{bucket}-none/")
assert Estimator.get_job_list(session).is_success and VisualizationJob.get_visualization_job_list(session).is_success

obs.delete(f"obs://{bucket}/", recursive=True)
obs.delete_bucket(bucket)
session.close()
print("done")
