"""`modelarts config`: the settings, their values and their sources."""

from __future__ import annotations

from typing import Optional

import click

from modelarts._settings import table

Row = dict[str, str]

profile_option = click.option("--profile", metavar="NAME", help="Use this profile of config.json.")


@click.group()
def config() -> None:
    """Settings."""


@config.command()
@profile_option
def show(profile: Optional[str]) -> None:
    """Show every setting with its value and its source."""
    settings = table.resolve({"profile": profile})
    print_rows([row_of(setting.name, settings) for setting in table.SETTINGS])


def print_rows(rows: list[Row]) -> None:
    from modelarts._display.tables import print_table

    print_table(rows, ("setting", "value", "from"))


def row_of(name: str, settings: table.Settings) -> Row:
    """A setting with its value, masked if it is secret, and its source."""
    return shown_row(name, settings[name])


def shown_row(name: str, found: table.Value) -> Row:
    return {"setting": name, "value": table.BY_NAME[name].shown(found.value) or "—", "from": found.source}
