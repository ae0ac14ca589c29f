"""Runs one of the scripts in this folder on the local service: `python examples/cloud_scripts/run.py NAME`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from modelarts.errors import JobError, ModelArtsError
from modelarts.estimator import Estimator
from modelarts.job import TrainingJob
from modelarts.session import Session

HERE = Path(__file__).parent
BUCKET = "cloud-scripts"


def names() -> list[str]:
    return sorted(file.parent.name for file in HERE.glob("*/job.json"))


def run(session: Session, name: str, **changes: Any) -> TrainingJob:
    """Upload code and data of a script, train, and show the log.

    Args:
        session: a session on the local service, or in the cloud.
        name: the folder of the script. Its `job.json` holds the arguments of the estimator.
        changes: other arguments of the estimator.
    """
    session.obs.create_bucket(BUCKET)
    session.obs.upload_dir(HERE / name, f"obs://{BUCKET}/code/")
    session.obs.upload_dir(HERE / "data" / "iris", f"obs://{BUCKET}/data/")
    arguments = {
        "code_dir": f"/{BUCKET}/code/{name}/",
        "output_path": f"/{BUCKET}/output/{name}/",
        "train_instance_type": "modelarts.vm.cpu.2u",
        "train_instance_count": 1,
        **json.loads((HERE / name / "job.json").read_text(encoding="utf-8")),
        **changes,
    }
    return Estimator(session, **arguments).fit(inputs=f"/{BUCKET}/data/iris/", wait=True)


if __name__ == "__main__":
    if sys.argv[1:] not in ([name] for name in names()):
        sys.exit(f"usage: run.py NAME, where NAME is one of: {', '.join(names())}")
    try:
        run(Session.local(strict=True), sys.argv[1])
    except JobError:  # the log above says why
        sys.exit(1)
    except ModelArtsError as error:
        sys.exit(f"run.py: {error}")
