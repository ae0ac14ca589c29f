"""Trains two versions of a job on handwritten digits, on the local service: `make demo`."""

from __future__ import annotations

import pickle
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from images import draw, read_digits, write_digits

from modelarts.errors import ModelArtsError
from modelarts.estimator import Estimator, TrainingJob
from modelarts.session import Session

HERE = Path(__file__).parent
BUCKET = "digits-demo"
DOWNLOADS = Path("digits-model")
FIRST = {"learning_rate": 0.003, "hidden_units": 16, "epochs": 8}
SECOND = {"learning_rate": 0.01, "hidden_units": 64, "epochs": 12}


def step(text: str) -> None:
    print(f"\n==> {text}", flush=True)


def main() -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        session = start()
        images = Path(scratch, "digits")
        upload(session, images)
        run = f"digits-{secrets.token_hex(3)}"  # a new name for each run of this script
        estimator = make_estimator(session, run)
        save_configuration(estimator, run)
        train_twice(estimator, run)
        best = compare(estimator)
        model = download(session, best)
        show_guesses(model, *read_digits(images / "held-back"))
    step(f"done in {time.monotonic() - began:.0f} s")
    print(f"the local service keeps running; to stop it: {Path(sys.executable).with_name('modelarts')} local stop")


def start() -> Session:
    step("start the local service, or connect to the running one")
    # strict: a failed job raises an error with the reason and the end of its log.
    session = Session.local(strict=True)
    print(session)
    return session


def upload(session: Session, images: Path) -> None:
    step(f"write the digits as image files, and upload images and code to obs://{BUCKET}/")
    session.obs.create_bucket(BUCKET)
    trained, held_back = write_digits(images)
    session.obs.upload_dir(images, f"obs://{BUCKET}/")
    for name in ("train.py", "images.py"):
        session.obs.upload_file(HERE / name, f"obs://{BUCKET}/src/")
    print(f"{trained} images for training, {held_back} held back to measure accuracy")


def make_estimator(session: Session, run: str) -> Estimator:
    return Estimator(
        session,
        framework_type="PyTorch",
        framework_version="PyTorch-1.0.0-python3.6",
        code_dir=f"/{BUCKET}/src/",
        boot_file="train.py",
        output_path=f"/{BUCKET}/{run}/first/",
        log_url=f"/{BUCKET}/{run}/log/",
        hyperparameters=FIRST,
        train_instance_type="modelarts.vm.cpu.2u",
        train_instance_count=1,
    )


def save_configuration(estimator: Estimator, name: str) -> None:
    step(f"save configuration {name}, then update it with the data to use")
    saved = estimator.create_job_configs(config_name=name, config_desc="first draft")
    before = saved.get_job_configs_info()
    estimator.update_job_configs(config_name=name, config_desc="handwritten digits", inputs=f"/{BUCKET}/digits/")
    after = saved.get_job_configs_info()
    for member in ("config_desc", "data_url"):
        print(f"{member:15} {before[member] or '-'} -> {after[member]}")
    print(f"{'parameter':15} {hyperparameters(after)}")


def train_twice(estimator: Estimator, job_name: str) -> None:
    step(f"train job {job_name} and show its log")
    first: TrainingJob = estimator.fit(inputs=f"/{BUCKET}/digits/", job_name=job_name, wait=True)

    step("train a second version of the job, with other hyperparameters")
    estimator.hyperparameters = SECOND
    estimator.output_path = f"/{BUCKET}/{job_name}/second/"
    estimator.create_job_version(first.job_id, first.version_id, inputs=f"/{BUCKET}/digits/", wait=True)


def compare(estimator: Estimator) -> Any:
    """Print a row for each version, and return the version with the best accuracy."""
    step("compare the two versions")
    versions = sorted(estimator.get_job_version_info()["versions"], key=lambda version: version["version_id"])
    row = "{:8} {:50} {:18} {:>9} {:>9}"
    print(row.format("version", "hyperparameters", "status", "duration", "accuracy"))
    for version in versions:
        seconds, reached = f"{version['duration'] / 1000:.1f} s", f"{accuracy(version):.4f}"
        print(row.format(version["version_name"], hyperparameters(version), version["status"].name, seconds, reached))
    return max(versions, key=accuracy)


def hyperparameters(settings: Any) -> str:
    return " ".join(f"{pair['label']}={pair['value']}" for pair in settings["parameter"])


def accuracy(version: Any) -> float:
    return float(version["model_metric_list"]["total_metric"]["total_metric_values"]["accuracy"])


def download(session: Session, version: Any) -> Any:
    step(f"download the model of {version['version_name']} from {version['train_url']}model/")
    session.obs.download_file(f"{version['train_url']}model/digits.pkl", f"{DOWNLOADS}/")
    file = DOWNLOADS / "digits.pkl"
    print(f"{file.resolve()} ({file.stat().st_size / 1000:.0f} kB)")
    return pickle.loads(file.read_bytes())


def show_guesses(model: Any, images: np.ndarray, labels: np.ndarray) -> None:
    step("classify four digits that were not used for training")
    guesses = model.predict(images)
    wrong = np.flatnonzero(guesses != labels)
    right = np.flatnonzero(guesses == labels)
    # Three correct guesses, and a wrong one if there is any.
    shown = [*right[:: len(right) // 3][:3], *(wrong[:1] if len(wrong) else right[-1:])]
    print(draw(images[shown]))
    captions = [f"guess {guesses[index]}, truth {labels[index]}" for index in shown]
    print("  ".join(f"{caption:^16}" for caption in captions))


if __name__ == "__main__":
    try:
        main()
    except ModelArtsError as error:
        sys.exit(f"demo: {error}")
