"""`modelarts local …`: the service on this machine, and its datasets."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import click

from modelarts._obs import tree
from modelarts._obs.failures import report_os_errors
from modelarts._obs.local.buckets import LocalBuckets
from modelarts._obs.paths import ObsPath, expand_user, is_local
from modelarts._settings import table
from modelarts._settings.converters import MASK
from modelarts._settings.home import home_directory
from modelarts.errors import ArgumentProblem, ConfigError, ObsError, ServiceError

if TYPE_CHECKING:
    from modelarts.local.daemon import Address
    from modelarts.local.store import Store

DATASET_BUCKET = "modelarts-datasets"
_ID = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,64}")  # a folder gets its name
_ID_RULE = "1 to 64 letters, digits, dots, underscores or hyphens, and neither '.' nor '..'"


@click.group()
def local() -> None:
    """The training service on this machine."""


@local.command()
@click.option("--auth", type=click.Choice(["token", "iam"]), default=None,
              help="Who is let in: `token`, this user only, or `iam`, also whoever logs in as in the cloud, over TLS. "
                   "By default as before, if the service was killed or stopped itself when idle; else `token`.")
@click.option("--region", default="", help="With --auth iam: name of the region; cn-north-4 unless it was another.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="With --auth iam: port; 0 takes any free one.")
def start(auth: Optional[str], region: str, port: int) -> None:
    """Start the service, or say where it runs."""
    from modelarts.local import daemon

    if auth != "iam" and (region or port):
        raise click.UsageError("--region and --port go with --auth iam")
    home = home_directory()
    before = daemon.find(home)
    if auth == "token" and before is None:
        daemon.forget_options(home)
    address = daemon.ensure(home, daemon.CloudOptions(region, port) if auth == "iam" else None)
    _tell("running" if before else "started", address, home)


@local.command()
@click.option("--show", is_flag=True, help="Print the secrets, too.")
def credentials(show: bool) -> None:
    """Print a login to the service that was started with --auth iam, as a shell can read it."""
    from modelarts.local import daemon
    from modelarts.local.emulator.iam import accounts

    home = home_directory()
    found = daemon.find(home)
    account = accounts.load(Path(found.iam.account)) if found and found.iam else None
    if found is None or found.iam is None or account is None:
        raise ServiceError(
            f"no local service runs with --auth iam (state in {home / 'local'}); "
            "start one with `modelarts local start --auth iam`"
        )
    services = {f"{service}_endpoint": found.iam.url for service in ("modelarts", "iam", "obs")}
    login = {
        "mode": "cloud", **services, "ca_bundle": found.iam.ca_bundle, "region_name": found.iam.region_name,
        "project_id": found.iam.project_id,
    }  # fmt: skip
    keys = {"access_key": account.access_key, "secret_key": account.secret_key}
    user = {"account": account.account, "username": account.username, "password": account.password}
    click.echo("\n".join(_exported({**login, **keys}, show)))
    click.echo("# or, in place of the access keys, a password:")
    click.echo("\n".join(f"# {line}" for line in _exported(user, show)))


def _exported(values: dict[str, str], show: bool) -> list[str]:
    """Settings as their environment variables; secrets masked unless they are to be shown."""
    rows = {setting.name: setting for setting in table.SETTINGS}
    return [
        f"export {rows[name].env[0]}={shlex.quote(value) if show or not rows[name].secret else MASK}"
        for name, value in values.items()
    ]


@local.command()
def stop() -> None:
    """End the service; jobs that run go on."""
    from modelarts.local import daemon

    home = home_directory()
    click.echo("stopped" if daemon.stop(home) else f"no local service is running (state in {home / 'local'})")


@local.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Say whether the service runs; exit code 3 when it does not."""
    from modelarts.local import daemon

    home = home_directory()
    found = daemon.find(home)
    if found is None:
        click.echo(f"no local service is running (state in {home / 'local'}); `modelarts local start` starts it")
        context.exit(3)
    _tell("running", found, home)


def _tell(how: str, address: Address, home: Path) -> None:
    click.echo(f"{how}: {address.url} (pid {address.pid}, state in {home / 'local'})")
    if address.iam:
        where = f"region {address.iam.region_name}, account in {address.iam.account}"
        click.echo(f"as the cloud: {address.iam.url} ({where})")


@local.group()
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
    machine, whose content is copied into the bucket modelarts-datasets.
    """
    buckets = LocalBuckets(home_directory() / "local" / "buckets")
    place = _registered(buckets, dataset_id, version_id, folder)
    with contextlib.closing(_store()) as store:
        store.datasets.put(dataset_id, version_id, place.url)
    click.echo(f"{dataset_id} version {version_id}: {place.url}")


@dataset.command("list")
def list_datasets() -> None:
    """List what is registered."""
    with contextlib.closing(_store()) as store:
        for dataset_id, version_id, url in store.datasets.all():
            click.echo(f"{dataset_id}\t{version_id}\t{url}")


@dataset.command("remove")
@click.argument("dataset_id")
@click.argument("version_id")
def remove(dataset_id: str, version_id: str) -> None:
    """Take a registration back; the folder stays."""
    with contextlib.closing(_store()) as store:
        if not store.datasets.remove(dataset_id, version_id):
            raise ConfigError(f"dataset {dataset_id} version {version_id} is not registered")
    click.echo("removed")


def _registered(buckets: LocalBuckets, dataset_id: str, version_id: str, folder: str) -> ObsPath:
    source = Path(expand_user(folder))
    if not source.is_dir():
        return _folder_of_bucket(buckets, folder)
    with report_os_errors(f"read the folder {folder!r}"):
        has_files = next(tree.walk(source), None) is not None
    if not has_files:
        raise ObsError(f"the folder {folder!r} holds no files: there is nothing to register")
    place = ObsPath.parse(f"obs://{DATASET_BUCKET}/{dataset_id}/{version_id}/")
    buckets.create_bucket(DATASET_BUCKET)
    _replace(buckets, source, place)
    return place


def _folder_of_bucket(buckets: LocalBuckets, folder: str) -> ObsPath:
    in_bucket = not is_local(folder) and buckets.is_obs_path_exists(folder)
    place = ObsPath.parse(folder).as_dir if in_bucket else None
    if place is not None and place.under(buckets.root).is_dir():
        return place
    if place is not None or Path(expand_user(folder)).exists():
        raise ObsError(f"{folder!r} is a file, and a dataset is a folder: name the one that the file lies in")
    where = "local folder" if is_local(folder) else "local folder, nor a folder of a bucket,"
    raise ObsError(f"there is no {where} {folder!r}", "ModelArts.0015")


def _replace(buckets: LocalBuckets, source: Path, place: ObsPath) -> None:
    """Copy a folder to a place; what was there before stays until the copy is whole."""
    beside = ObsPath(place.bucket, f"{place.key.rstrip('/')}~part/")  # no id has a tilde
    shutil.rmtree(beside.under(buckets.root), ignore_errors=True)
    buckets.upload_contents(source, beside)
    shutil.rmtree(place.under(buckets.root), ignore_errors=True)
    beside.under(buckets.root).rename(place.under(buckets.root))


def _store() -> Store:
    from modelarts.local.paths import LocalHome
    from modelarts.local.store import Store

    paths = LocalHome.of(home_directory())
    paths.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Store(paths.store)
