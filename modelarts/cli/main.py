"""The command `modelarts`."""

from __future__ import annotations

import sys

import click

from modelarts import __version__
from modelarts.cli.local import local
from modelarts.errors import ModelArtsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="modelarts")
def cli() -> None:
    """Train with ModelArts, in the cloud or on this machine."""


cli.add_command(local)


def main() -> None:
    """Run the command; errors of this package become one line and exit code 1."""
    try:
        cli()
    except ModelArtsError as error:
        click.echo(f"modelarts: {error}", err=True)
        sys.exit(1)
