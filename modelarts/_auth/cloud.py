"""The login of a session in the cloud: its credentials, and the project that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelarts._auth import access_keys, login
from modelarts._auth.signing import Auth
from modelarts._settings import table
from modelarts._settings.endpoints import Endpoints

if TYPE_CHECKING:
    from modelarts._transport.transport import Transport


def log_in(settings: table.Settings, services: Endpoints, transport: Transport) -> tuple[Auth, str]:
    """The credentials and the project id: as given, else that of the region, for which IAM is queried."""
    region, project_id = settings["region_name"].value, settings["project_id"].value
    if project_id and not login.by_password(settings):
        return access_keys.of_settings(settings, project_id), project_id
    from modelarts._auth.iam import Iam
    from modelarts._auth.password import PasswordAuth

    iam = Iam(transport, services.url("iam"))
    if login.by_password(settings):
        account, username, password = (settings[name].value for name in table.PASSWORD)
        auth = PasswordAuth(iam, account, username, password, region)
        return auth, project_id or auth.project_id or iam.project_of(auth, region)
    project_id = iam.project_of(access_keys.of_settings(settings, ""), region)
    return access_keys.of_settings(settings, project_id), project_id
