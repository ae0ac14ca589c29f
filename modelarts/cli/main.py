"""The command `modelarts`."""

from __future__ import annotations

import re
import sys

import click

from modelarts import __version__
from modelarts._display.terminal import say
from modelarts.cli.config import config
from modelarts.cli.doctor import doctor
from modelarts.cli.service import local
from modelarts.cli.whoami import whoami
from modelarts.errors import ModelArtsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="modelarts")
def cli() -> None:
    """Train with ModelArts, in the cloud or on this machine."""


cli.add_command(local)
cli.add_command(whoami)
cli.add_command(config)
cli.add_command(doctor)


def main() -> None:
    """Run the command; errors that a user can do something about become one line and exit code 1."""
    try:
        cli()
    except ModelArtsError as error:
        message = str(error)
    except OSError as error:
        message = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    else:
        return
    say(f"modelarts: {_in_one_line(message)}", err=True)
    sys.exit(1)


def _in_one_line(message: str) -> str:
    items = re.sub(r"\n\s*- ", "; ", message).replace(":; ", ": ")
    return " ".join(re.sub(r"(?<![.:;,])\n", ". ", items).split())
