"""`modelarts local dataset`: folders registered as datasets of the local service."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click

from modelarts._display.terminal import say
from modelarts._obs import tree
from modelarts._obs.failures import report_os_errors
from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.paths import ObsPath, expand_user, is_local
from modelarts._settings.home import home_directory
from modelarts.cli.store import open_store
from modelarts.errors import ArgumentProblem, ConfigError, ObsError

DATASET_BUCKET = "modelarts-datasets"
_ID = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,64}")  # it becomes the name of a folder
_ID_RULE = "1 to 64 letters, digits, dots, underscores or hyphens, and neither '.' nor '..'"


@click.group()
def dataset() -> None:
    """Folders registered as datasets, for dataset_id and dataset_version_id."""


def _checked_id(_: click.Context, parameter: click.Parameter, value: str) -> str:
    if not _ID.fullmatch(value):
        raise ConfigError(str(ArgumentProblem(parameter.name or "", value, _ID_RULE)))
    return value


@dataset.command("add")
@click.argument("dataset_id", callback=_checked_id)
@click.argument("version_id", callback=_checked_id)
@click.argument("folder")
def add(dataset_id: str, version_id: str, folder: str) -> None:
    """Register FOLDER as version VERSION_ID of DATASET_ID.

    FOLDER is a folder of a local bucket (obs://bucket/folder/), which is registered as it is, or a folder of this
    machine, whose files are copied into the bucket modelarts-datasets.
    """
    buckets = LocalBuckets(home_directory() / "local" / "buckets")
    with open_store() as store:  # before anything is copied
        path = _in_bucket(buckets, dataset_id, version_id, folder)
        store.datasets.put(dataset_id, version_id, path.url)
    say(f"{dataset_id} version {version_id}: {path.url}")


@dataset.command("list")
def list_datasets() -> None:
    """List the registered datasets: id, version and folder."""
    with open_store() as store:
        for dataset_id, version_id, url in store.datasets.all():
            say(f"{dataset_id}\t{version_id}\t{url}")


@dataset.command("remove")
@click.argument("dataset_id")
@click.argument("version_id")
def remove(dataset_id: str, version_id: str) -> None:
    """Remove a registration. The folder is kept."""
    with open_store() as store:
        if not store.datasets.remove(dataset_id, version_id):
            raise ConfigError(f"dataset {dataset_id} version {version_id} is not registered")
    say("removed")


def _in_bucket(buckets: LocalBuckets, dataset_id: str, version_id: str, folder: str) -> ObsPath:
    """The path of a folder in a bucket; a folder of this machine is copied into one."""
    if not folder:
        raise ConfigError(str(ArgumentProblem("folder", folder, "a folder of a bucket or of this machine")))
    source = Path(expand_user(folder))
    if not source.is_dir():
        return _folder_of_bucket(buckets, folder)
    with report_os_errors(f"read the folder {folder!r}"):
        has_files = next(tree.walk(source), None) is not None
    if not has_files:
        raise ObsError(f"the folder {folder!r} contains no files: there is nothing to register")
    path = ObsPath.parse(f"obs://{DATASET_BUCKET}/{dataset_id}/{version_id}/")
    buckets.create_bucket(DATASET_BUCKET)
    _replace(buckets, source, path)
    return path


def _folder_of_bucket(buckets: LocalBuckets, folder: str) -> ObsPath:
    in_bucket = not is_local(folder) and buckets.is_obs_path_exists(folder)
    path = ObsPath.parse(folder).as_dir if in_bucket else None
    if path is not None and path.under(buckets.root).is_dir():
        return path
    if path is not None or Path(expand_user(folder)).exists():
        raise ObsError(f"{folder!r} is a file, and a dataset is a folder: use the folder that contains the file")
    kind = "local folder" if is_local(folder) else "local folder or folder of a bucket"
    raise ObsError(f"there is no {kind} {folder!r}", "ModelArts.0015")


def _replace(buckets: LocalBuckets, source: Path, path: ObsPath) -> None:
    """Copy a folder to a path of a bucket. An earlier copy is kept until the new one is complete."""
    beside = ObsPath(path.bucket, f"{path.key.rstrip('/')}~part/")  # no id has a tilde
    shutil.rmtree(beside.under(buckets.root), ignore_errors=True)
    buckets.upload_contents(source, beside)
    shutil.rmtree(path.under(buckets.root), ignore_errors=True)
    beside.under(buckets.root).rename(path.under(buckets.root))
