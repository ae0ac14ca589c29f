"""`modelarts local backup` and `restore`: the store of the local service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from modelarts._display.terminal import say
from modelarts._settings.home import home_directory
from modelarts.errors import ServiceError

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Save the store of the local service as FILE, also while it runs.

    The store has jobs, versions, configurations, datasets and visualization jobs. Buckets, logs and the folders of jobs
    are plain files in the home of the service. An earlier backup is replaced.

    Example: modelarts local backup jobs.db
    """
    from modelarts.local.paths import LocalHome
    from modelarts.local.store import copies

    with _explained(file):
        copies.save(LocalHome.of(home_directory()).store, file)
    say(f"saved as {file}")


@click.command()
@click.argument("file", type=_FILE)
def restore(file: Path) -> None:
    """Put a backup in the place of the store of the local service.

    A running service is restarted; jobs continue. Nothing is run again that has run since the backup was made. What is
    queued or running now must be in the backup. The store that was there is kept under another name.

    Example: modelarts local restore jobs.db
    """
    from modelarts.local import daemon
    from modelarts.local.paths import LocalHome
    from modelarts.local.store import copies

    home = home_directory()
    paths = LocalHome.of(home)
    with _explained(file):
        paths.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with copies.prepared(file, paths.store) as part, daemon.paused(home):
            kept = copies.put_in_place(part, paths.store, paths.jobs)
    say(f"restored {file}" + (f"; the store that was there is now {kept}" if kept else ""))


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Report what fails as `ServiceError`."""
    from modelarts.local.store import StoreError, copies

    try:
        yield
    except copies.NoCopy as error:
        raise ServiceError(str(error)) from None
    except OSError as error:
        raise ServiceError(f"{error.filename or file}: {error.strerror or error}") from None
    except StoreError as error:
        raise ServiceError(f"{file}: {error}") from None
