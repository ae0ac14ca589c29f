"""`modelarts local`: the service on this machine."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import click

from modelarts._display.terminal import say
from modelarts._settings import table
from modelarts._settings.converters import MASK
from modelarts._settings.home import home_directory
from modelarts.cli.backups import backup, restore
from modelarts.cli.clean import clean
from modelarts.cli.datasets import dataset
from modelarts.cli.environments import environments
from modelarts.errors import ServiceError

if TYPE_CHECKING:
    from modelarts.local.daemon import Address

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # as shells have it


@click.group()
def local() -> None:
    """The training service on this machine."""


local.add_command(backup)
local.add_command(restore)
local.add_command(clean)
local.add_command(environments)
local.add_command(dataset)


@local.command()
@click.option("--auth", type=click.Choice(["token", "iam"]), default=None,
              help="Which credentials are accepted: `token`, those of this user only; `iam`, also logins as in the "
                   "cloud, over TLS. Default: as before if the service was killed or ended when idle, else `token`.")
@click.option("--region", default="", help="With --auth iam: name of the region. Default: as before, else cn-north-4.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="With --auth iam: port; 0 is any free port.")
def start(auth: Optional[str], region: str, port: int) -> None:
    """Start the service, or show the address of the running one."""
    from modelarts.local import daemon

    if auth != "iam" and (region or port):
        raise click.UsageError("--region and --port require --auth iam")
    home = home_directory()
    before = daemon.find(home)
    if auth == "token" and before is None:
        daemon.forget_options(home)
    address = daemon.ensure(home, daemon.CloudOptions(region, port) if auth == "iam" else None)
    _print_address("running" if before else "started", address, home)


@local.command()
@click.option("--show", is_flag=True, help="Also print the secrets, which are masked otherwise.")
def credentials(show: bool) -> None:
    """Print credentials for the service started with --auth iam, as `export` commands for a shell."""
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
    say("\n".join(_exported({**login, **keys}, show)))
    say("# or, in place of the access keys, a password:")
    say("\n".join(f"# {line}" for line in _exported(user, show)))


def _exported(values: dict[str, str], show: bool) -> list[str]:
    """The commands that set environment variables to these settings."""
    rows = {setting.name: setting for setting in table.SETTINGS}
    return [
        f"export {rows[name].env[0]}={shlex.quote(value) if show or not rows[name].secret else MASK}"
        for name, value in values.items()
    ]


@local.command()
def stop() -> None:
    """Stop the service. Running jobs continue."""
    from modelarts.local import daemon

    home = home_directory()
    say("stopped" if daemon.stop(home) else f"no local service is running (state in {home / 'local'})")


@local.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Show whether the service is running. The exit code is 3 if it is not."""
    from modelarts.local import daemon

    home = home_directory()
    found = daemon.find(home)
    if found is None:
        say(f"no local service is running (state in {home / 'local'}); `modelarts local start` starts it")
        context.exit(3)
    _print_address("running", found, home)


@local.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(command: tuple[str, ...]) -> None:
    """Run a program in local mode: each session in it is one on this machine, and `import moxing` works.

    Keys, passwords and endpoints in a script are not used. Nothing else of the environment is changed, and the exit
    code is that of the program: `modelarts local exec -- python client.py`. If the environment of this command is not
    active, `python` is its interpreter.
    """
    from modelarts.local.runtime.script_path import SCRIPT_PATH

    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), SCRIPT_PATH]))
    program = _program(command[0])
    sys.stdout.flush()
    try:
        os.execvpe(program, [program, *command[1:]], {**os.environ, "MODELARTS_MODE": "local", "PYTHONPATH": path})
    except OSError as error:
        say(f"modelarts: {command[0]!r} cannot be started: {error.strerror}", err=True)
        sys.exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE)


def _program(name: str) -> str:
    """The program of a command. `python` is the one beside this command if its environment is not the active one."""
    folder = Path(sys.executable).parent
    is_active = shutil.which("modelarts") == str(folder / "modelarts")
    beside = folder / name
    return str(beside) if name.startswith("python") and not is_active and beside.exists() else name


def _print_address(state: str, address: Address, home: Path) -> None:
    say(f"{state}: {address.url} (pid {address.pid}, state in {home / 'local'})")
    if address.iam:
        where = f"region {address.iam.region_name}, account in {address.iam.account}"
        say(f"as the cloud: {address.iam.url} ({where})")
