"""`modelarts local clean`: disk space of jobs that have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

import click

from modelarts._display.terminal import say
from modelarts._settings import keep as keep_rules
from modelarts._settings import table
from modelarts._settings.home import home_directory
from modelarts._wire.sizes import size_text
from modelarts.cli.store import open_store
from modelarts.errors import ServiceError

if TYPE_CHECKING:
    from modelarts.local.working_directories import WorkingDirectories


@click.command()
@click.option("--keep", metavar="RULES",
              help="What to keep instead of what local_keep says, such as `failed,5`, `7d` or `none`.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
def clean(keep: Optional[str], dry_run: bool) -> None:
    """Remove the working directories of ended jobs that the setting local_keep does not keep.

    Running jobs, buckets, logs, metrics and the list of jobs are not touched.
    """
    from modelarts.local import working_directories
    from modelarts.local.paths import LocalHome

    home = home_directory()
    rules = table.value_of("local_keep", home) if keep is None else table.checked("local_keep", keep, "--keep")
    with open_store() as store:
        found = working_directories.of_ended_versions(LocalHome.of(home), store, keep_rules.parse(rules))
    found = [one for one in found if one.folders]
    unwanted = [one for one in found if not one.kept]
    sizes = {one.version_id: one.size() for one in found}
    failures = []
    for one in unwanted:
        if dry_run:
            say(f"{_name(one)}\t{size_text(sizes[one.version_id])}\t{one.folders[0].parent}")
        else:
            failures += _remove(one)
    say(f"{'would free' if dry_run else 'freed'} {_amount(unwanted, sizes)}")
    kept = [one for one in found if one.kept]
    if kept:
        says = f"as local_keep={rules} says; `modelarts local clean --keep none` frees that, too"
        say(f"kept {_amount(kept, sizes)}, {says}")
    if failures:
        raise ServiceError("; ".join(failures))


def _name(found: WorkingDirectories) -> str:
    return f"{found.row.job_name} {found.row.name}" if found.row else f"deleted version {found.version_id}"


def _amount(found: list[WorkingDirectories], sizes: dict[int, int]) -> str:
    total = size_text(sum(sizes[one.version_id] for one in found))
    return f"{total} of {len(found)} {'version' if len(found) == 1 else 'versions'}"


def _remove(found: WorkingDirectories) -> list[str]:
    """Remove working directories; returns why that failed."""
    try:
        found.remove()
    except OSError as error:
        return [f"{error.filename} cannot be removed: {error.strerror}"]
    return []
