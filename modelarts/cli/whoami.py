"""`modelarts whoami` and `modelarts config`: what is used, and where it comes from."""

from __future__ import annotations

from typing import Optional

import click

from modelarts._api.catalog import ENGINES
from modelarts._auth import login
from modelarts._settings import table
from modelarts._settings.sources import variable
from modelarts._transport.options import TransportOptions, proxies, source_of_proxy
from modelarts.session import Session

PATIENCE = 30.0  # seconds for each of the few calls that try a login
Row = dict[str, str]

_profile = click.option("--profile", metavar="NAME", help="Use this profile of config.json.")


@click.command()
@_profile
@click.option("--check/--no-check", default=True, help="Try it with one call (the default), or only look.")
def whoami(profile: Optional[str], check: bool) -> None:
    """Show which login is used, where each part of it comes from, and whether it works."""
    settings = table.resolve({"profile": profile})
    cloud = login.means_cloud(settings)
    _print(_cloud_rows(settings) if cloud else [_row("mode", settings), _home()])
    if cloud:
        login.check(settings)
        services = login.endpoints(settings, {})
        services.url("modelarts")
        TransportOptions.of(settings).check_proxies(services.known)
    if check:
        with Session(profile=profile, total_timeout=PATIENCE) as session:
            engines = session.catalog.rows(ENGINES)
            click.echo(f"works: {session.host} offers {len(engines)} engines to project {session.project_id}")


@click.group()
def config() -> None:
    """Settings."""


@config.command()
@_profile
def show(profile: Optional[str]) -> None:
    """Show every setting, its value, and where that comes from."""
    settings = table.resolve({"profile": profile})
    _print([_row(setting.name, settings) for setting in table.SETTINGS])


def _print(rows: list[Row]) -> None:
    from modelarts._display.tables import print_table

    print_table(rows, ("setting", "value", "from"))


def _row(name: str, settings: table.Settings) -> Row:
    found = settings[name]
    return {"setting": name, "value": _shown(name, found) or "—", "from": found.source}


def _shown(name: str, found: table.Value) -> str:
    setting = next(setting for setting in table.SETTINGS if setting.name == name)
    return setting.shown(found.value)


def _cloud_rows(settings: table.Settings) -> list[Row]:
    services = login.endpoints(settings, {})
    has_password = any(settings[name].value for name in table.PASSWORD)
    proof = table.PASSWORD if has_password and login.by_password(settings) else table.KEYS
    optional = ("mode", "profile", "security_token", "account", "verify", "ca_bundle", "client_cert")
    names = ("mode", "profile", *proof, "region_name", "project_id", "verify", "ca_bundle", "client_cert")
    rows = [_row(name, settings) for name in names if name not in optional or settings[name].place is not None]
    rows += [
        {"setting": f"{service}_endpoint", "value": _shown(f"{service}_endpoint", found) or "—", "from": found.source}
        for service, found in services.found.items()
    ]
    for row in rows:
        if row["setting"] == "project_id" and row["value"] == "—" and settings.login is not None:
            row["from"] = "IAM, asked for that of the region"
        elif row["value"] == "—":
            row["from"] = "missing"
    return rows + _proxy(str(services.found["modelarts"].value), settings)


def _proxy(url: str, settings: table.Settings) -> list[Row]:
    """The proxy on the way to an address, if there is one."""
    used = TransportOptions(proxies=proxies(settings["proxy"].value)).given_proxy(url)
    if not used:
        return []
    row = _row("proxy", settings)
    if row["from"] == "default":
        row["from"] = source_of_proxy(used)
    return [{**row, "value": next(setting for setting in table.SETTINGS if setting.name == "proxy").shown(used)}]


def _home() -> Row:
    return {"setting": "home", "value": str(table.home_directory()), "from": _home_source()}


def _home_source() -> str:
    return "environment MODELARTS_HOME" if variable("MODELARTS_HOME") else "default"
