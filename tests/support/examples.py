"""The scripts in `examples/cloud_scripts`, run as a user runs them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from modelarts.session import Session

FOLDER = Path(__file__).parents[2] / "examples" / "cloud_scripts"


def load() -> Any:
    """The module `run.py`."""
    spec = importlib.util.spec_from_file_location("cloud_scripts_run", FOLDER / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def log_of(job: Any) -> str:
    """The first log of a job."""
    return str(job.get_job_log(job.get_job_log_file_list().log_file_list[0]).content)


def read(session: Session, name: str, path: str, folder: Path) -> bytes:
    """A file of the output folder of an example.

    Args:
        session: the session that it ran with.
        name: the example.
        path: below its output folder.
        folder: where to download it.
    """
    session.obs.download_file(f"obs://cloud-scripts/output/{name}/{path}", folder)
    return (folder / Path(path).name).read_bytes()
