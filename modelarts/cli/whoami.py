"""`modelarts whoami` and `modelarts config`: which settings are used, and their sources."""

from __future__ import annotations

from typing import Optional

import click

from modelarts._api.catalog import ENGINES
from modelarts._auth import login
from modelarts._settings import endpoints, table
from modelarts._settings.home import home_directory, variable
from modelarts._transport.options import TransportOptions, proxies, source_of_proxy
from modelarts.session import Session

PATIENCE = 30.0  # seconds for each of the few calls that test the credentials
Row = dict[str, str]

_profile = click.option("--profile", metavar="NAME", help="Use this profile of config.json.")


@click.command()
@_profile
@click.option("--check/--no-check", default=True, help="Test the credentials with a call (default), or only show them.")
def whoami(profile: Optional[str], check: bool) -> None:
    """Show which credentials are used, their sources, and whether they work."""
    settings = table.resolve({"profile": profile})
    cloud = login.means_cloud(settings)
    _print(_cloud_rows(settings) if cloud else [_row("mode", settings), _home()])
    if cloud:
        login.check(settings)
        services = endpoints.resolve(settings, {})
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
    """Show every setting with its value and its source."""
    settings = table.resolve({"profile": profile})
    _print([_row(setting.name, settings) for setting in table.SETTINGS])


def _print(rows: list[Row]) -> None:
    from modelarts._display.tables import print_table

    print_table(rows, ("setting", "value", "from"))


def _row(name: str, settings: table.Settings) -> Row:
    return _shown(name, settings[name])


def _shown(name: str, found: table.Value) -> Row:
    return {"setting": name, "value": table.BY_NAME[name].shown(found.value) or "—", "from": found.source}


def _cloud_rows(settings: table.Settings) -> list[Row]:
    services = endpoints.resolve(settings, {})
    has_password = any(settings[name].value for name in table.PASSWORD)
    credentials = table.PASSWORD if has_password and login.by_password(settings) else table.KEYS
    optional = ("mode", "profile", "security_token", "account", "verify", "ca_bundle", "client_cert")
    names = ("mode", "profile", *credentials, "region_name", "project_id", "verify", "ca_bundle", "client_cert")
    rows = [_row(name, settings) for name in names if name not in optional or settings[name].origin is not None]
    rows += [_shown(f"{service}_endpoint", found) for service, found in services.found.items()]
    for row in rows:
        if row["setting"] == "project_id" and row["value"] == "—" and settings.login is not None:
            row["from"] = "IAM: the project of the region"
        elif row["value"] == "—":
            row["from"] = "missing"
    return rows + _proxy(str(services.found["modelarts"].value), settings)


def _proxy(url: str, settings: table.Settings) -> list[Row]:
    """The proxy for an address, if there is one."""
    used = TransportOptions(proxies=proxies(settings["proxy"].value)).given_proxy(url)
    if not used:
        return []
    source = settings["proxy"].source
    return [_shown("proxy", table.Value(used, source_of_proxy(used) if source == "default" else source))]


def _home() -> Row:
    source = "environment MODELARTS_HOME" if variable("MODELARTS_HOME") else "default"
    return {"setting": "home", "value": str(home_directory()), "from": source}
