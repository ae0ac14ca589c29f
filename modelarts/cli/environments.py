"""`modelarts local environments`: packages that were installed for jobs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import click

from modelarts._display.terminal import say
from modelarts._settings.converters import MASK
from modelarts._settings.home import home_directory
from modelarts._wire.sizes import size_text

if TYPE_CHECKING:
    from modelarts.local.environments import CachedEnvironment

_SHOWN = 3  # requirements of an environment


@click.command()
@click.option("--clear", is_flag=True, help="Remove all environments that no job uses.")
def environments(clear: bool) -> None:
    """List the packages that were installed for jobs: name, size, last use, interpreter, requirements.

    Jobs with the same requirements and interpreter use the same environment. What is removed is installed again when a
    job requires it.
    """
    from modelarts.local.environments import EnvironmentCache
    from modelarts.local.paths import LocalHome

    cache = EnvironmentCache(str(LocalHome.of(home_directory()).packages))
    if not clear:
        found = cache.environments()
        for one in found:
            say("\t".join(_row(one)))
        if not found:
            say(f"no packages are installed for jobs (in {cache.root})")
        return
    removed, kept = cache.clear()
    say(f"freed {size_text(sum(one.size for one in removed))} of {_count(len(removed))}")
    if kept:
        say(f"kept {size_text(sum(one.size for one in kept))} of {_count(len(kept))} in use by jobs")


def _row(one: CachedEnvironment) -> list[str]:
    used = "in use" if one.in_use else time.strftime("%Y-%m-%d %H:%M", time.localtime(one.used))
    if one.record is None:
        state = "is being installed" if one.in_use else "incomplete: its installation was interrupted"
        return [one.key, size_text(one.size), used, "", state]
    lines = [re.sub(r"(?<=//)[^/@\s]+@", f"{MASK}@", line.strip()) for line in one.record.requirements.splitlines()]
    required = [line for line in lines if line and not line.startswith("#")]
    more = f", and {len(required) - _SHOWN} more" if len(required) > _SHOWN else ""
    return [one.key, size_text(one.size), used, one.record.interpreter, ", ".join(required[:_SHOWN]) + more]


def _count(number: int) -> str:
    return f"{number} {'environment' if number == 1 else 'environments'}"
