"""The account of a service, in a file that its user may edit."""

from __future__ import annotations

import json
import re
import secrets
import string
import uuid
from pathlib import Path
from typing import Any

import attrs

from modelarts.errors import ServiceError
from modelarts.local.paths import write_private

REGION = "cn-north-4"
DAY = 86400.0
_REGION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def _check_text(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"{attribute.name} must be a non-empty string of printable characters")


def _check_lifetime(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= DAY:
        raise ValueError(f"{attribute.name} must be a number of seconds, above 0 and up to {DAY:.0f}")


@attrs.frozen(kw_only=True)
class Account:
    """The user that may call the service: password, access keys, account and project."""

    account: str = attrs.field(validator=_check_text)
    username: str = attrs.field(validator=_check_text)
    password: str = attrs.field(validator=_check_text, repr=False)
    access_key: str = attrs.field(validator=_check_text)
    secret_key: str = attrs.field(validator=_check_text, repr=False)
    region: str = attrs.field(validator=_check_text)
    project_id: str = attrs.field(validator=_check_text)
    domain_id: str = attrs.field(validator=_check_text)
    user_id: str = attrs.field(validator=_check_text)
    token_lifetime: float = attrs.field(default=DAY, validator=_check_lifetime)
    keys_lifetime: float = attrs.field(default=DAY, validator=_check_lifetime)


def load(file: Path) -> Account | None:
    """The account in a file; `None` if the file does not exist. Raises `ServiceError`."""
    try:
        members = json.loads(file.read_text(encoding="utf-8-sig"))  # some editors write a byte order mark
        account = Account(**members)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, RecursionError, TypeError, ValueError) as error:
        raise ServiceError(f"the account file {file}: {error}; correct it, or remove it to get a new one") from None
    return account


def load_or_create(file: Path, region: str = "") -> Account:
    """The account in a file, created if missing; `region` replaces its region. Raises `ServiceError`."""
    if region and not _REGION_NAME.fullmatch(region):
        raise ServiceError(f"region {region!r}: write a name such as {REGION}")
    account = load(file) or _create(region or REGION)
    account = attrs.evolve(account, region=region or account.region)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(file, attrs.asdict(account), indent=2)  # also an existing file, which may be readable by others
    return account


def _create(region: str) -> Account:
    return Account(
        account="local-account",
        username="local-user",
        password=secrets.token_urlsafe(18),
        access_key=_random(string.ascii_uppercase + string.digits, 20),
        secret_key=_random(string.ascii_letters + string.digits, 40),
        region=region,
        project_id=uuid.uuid4().hex,
        domain_id=uuid.uuid4().hex,
        user_id=uuid.uuid4().hex,
    )


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
