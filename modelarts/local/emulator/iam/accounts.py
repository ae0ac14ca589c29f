"""The one account of a service, in a file that its user may read and change."""

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


def _filled(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"{attribute.name} must be a text that is not empty")


def _seconds(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= DAY:
        raise ValueError(f"{attribute.name} must be a number of seconds, above 0 and up to {DAY:.0f}")


@attrs.frozen(kw_only=True)
class Account:
    """Who may call the service: a user with a password and access keys, in one account with one project."""

    account: str = attrs.field(validator=_filled)
    username: str = attrs.field(validator=_filled)
    password: str = attrs.field(validator=_filled, repr=False)
    access_key: str = attrs.field(validator=_filled)
    secret_key: str = attrs.field(validator=_filled, repr=False)
    region: str = attrs.field(validator=_filled)
    project_id: str = attrs.field(validator=_filled)
    domain_id: str = attrs.field(validator=_filled)
    user_id: str = attrs.field(validator=_filled)
    token_lifetime: float = attrs.field(default=DAY, validator=_seconds)
    keys_lifetime: float = attrs.field(default=DAY, validator=_seconds)


def load(file: Path) -> Account | None:
    """The account of a file, or nothing when there is no file. Raises `ServiceError`."""
    try:
        members = json.loads(file.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
        account = Account(**members)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, RecursionError, TypeError, ValueError) as error:
        raise ServiceError(f"the account file {file}: {error}; correct it, or remove it to get a new one") from None
    return account


def load_or_make(file: Path, region: str = "") -> Account:
    """The account of a file, made when there is none, in a region when one is given. Raises `ServiceError`."""
    if region and not _REGION_NAME.fullmatch(region):
        raise ServiceError(f"region {region!r}: write a name such as {REGION}")
    account = load(file) or _made(region or REGION)
    account = attrs.evolve(account, region=region or account.region)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(file, attrs.asdict(account), indent=2)  # also when it was there: it may have become readable to all
    return account


def _made(region: str) -> Account:
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
