"""`modelarts whoami`: which credentials are used, their sources, and whether they work."""

from __future__ import annotations

from typing import Optional

import click

from modelarts._api.catalog import ENGINES
from modelarts._auth import login
from modelarts._display.terminal import say
from modelarts._settings import endpoints, table
from modelarts._settings.home import home_directory, variable
from modelarts._transport.options import TransportOptions, proxies, source_of_proxy
from modelarts.cli.config import Row, print_rows, profile_option, row_of, shown_row
from modelarts.session import Session

PATIENCE = 30.0  # seconds for each of the few calls that test the credentials


@click.command()
@profile_option
@click.option("--check/--no-check", default=True, help="Test the credentials with a call (default), or only show them.")
def whoami(profile: Optional[str], check: bool) -> None:
    """Show which credentials are used, their sources, and whether they work."""
    settings = table.resolve({"profile": profile})
    cloud = login.means_cloud(settings)
    print_rows(_cloud_rows(settings) if cloud else [row_of("mode", settings), _home()])
    if cloud:
        login.check(settings)
        services = endpoints.resolve(settings, {})
        services.url("modelarts")
        TransportOptions.of(settings).check_proxies(services.known)
    if check:
        with Session(profile=profile, total_timeout=PATIENCE) as session:
            engines = session.catalog.rows(ENGINES)
            say(f"works: {session.host} offers {len(engines)} engines to project {session.project_id}")


def _cloud_rows(settings: table.Settings) -> list[Row]:
    services = endpoints.resolve(settings, {})
    has_password = any(settings[name].value for name in table.PASSWORD)
    credentials = table.PASSWORD if has_password and login.by_password(settings) else table.KEYS
    optional = ("mode", "profile", "security_token", "account", "verify", "ca_bundle", "client_cert")
    names = ("mode", "profile", *credentials, "region_name", "project_id", "verify", "ca_bundle", "client_cert")
    rows = [row_of(name, settings) for name in names if name not in optional or settings[name].origin is not None]
    rows += [shown_row(f"{service}_endpoint", found) for service, found in services.found.items()]
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
    return [shown_row("proxy", table.Value(used, source_of_proxy(used) if source == "default" else source))]


def _home() -> Row:
    source = "environment MODELARTS_HOME" if variable("MODELARTS_HOME") else "default"
    return {"setting": "home", "value": str(home_directory()), "from": source}
