"""The account and the certificates that the first start creates."""

from __future__ import annotations

import json
import stat
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509

from modelarts.errors import ServiceError
from modelarts.local.emulator import certificate
from modelarts.local.emulator.iam import accounts

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_account_is_random_private_and_stored(tmp_path):
    file = tmp_path / "iam" / "account.json"

    first = accounts.load_or_create(file)

    assert accounts.load_or_create(file) == accounts.load(file) == first
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert first.region == "cn-north-4"
    other = accounts.load_or_create(tmp_path / "other" / "account.json")
    for name in ("password", "access_key", "secret_key", "project_id", "domain_id", "user_id"):
        assert getattr(other, name) != getattr(first, name)


def test_a_later_region_replaces_that_of_the_account(tmp_path):
    file = tmp_path / "account.json"
    first = accounts.load_or_create(file)

    moved = accounts.load_or_create(file, "cn-east-3")

    assert (moved.region, moved.project_id) == ("cn-east-3", first.project_id)
    assert accounts.load_or_create(file).region == "cn-east-3"


def test_an_edited_account_file_is_used_and_made_private_again(tmp_path):
    file = tmp_path / "account.json"
    accounts.load_or_create(file)
    members = {**json.loads(file.read_text()), "username": "me", "token_lifetime": 5}
    file.write_text(json.dumps(members))
    file.chmod(0o644)

    account = accounts.load_or_create(file)

    assert (account.username, account.token_lifetime, account.keys_lifetime) == ("me", 5, 86400)
    assert mode(file) == 0o600


def test_an_account_file_with_a_byte_order_mark_is_read(tmp_path):
    file = tmp_path / "account.json"
    first = accounts.load_or_create(file)
    file.write_text(file.read_text(), encoding="utf-8-sig")

    assert accounts.load_or_create(file) == first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "correct it, or remove it"),
        pytest.param("[" * 100_000, "correct it, or remove it", id="deep"),
        ("[]", "correct it, or remove it"),
        ("{}", "missing .* required"),
        ('{"colour": "red"}', "colour"),
    ],
)
def test_an_invalid_account_file_is_reported(tmp_path, content, message):
    file = tmp_path / "account.json"
    file.write_text(content)

    with pytest.raises(ServiceError, match=message):
        accounts.load_or_create(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [("password", ""), ("access_key", 5), ("region", "\n"), ("token_lifetime", 0), ("keys_lifetime", 86401),
     ("token_lifetime", True), ("token_lifetime", "60")],
)  # fmt: skip
def test_an_invalid_member_is_named(tmp_path, name, value):
    file = tmp_path / "account.json"
    accounts.load_or_create(file)
    file.write_text(json.dumps({**json.loads(file.read_text()), name: value}))

    with pytest.raises(ServiceError, match=f"{name} must be"):
        accounts.load_or_create(file)


@pytest.mark.parametrize("region", ["a/b", "x" * 65, "-"])
def test_an_invalid_region_name_is_rejected(tmp_path, region):
    with pytest.raises(ServiceError, match="write a name such as cn-north-4"):
        accounts.load_or_create(tmp_path / "account.json", region)


def test_certificates_are_for_this_machine_only_and_stored(tmp_path):
    files = certificate.ensure(tmp_path, NOW)
    before = files.ca.read_bytes(), files.server.read_bytes()

    certificate.ensure(tmp_path, NOW + timedelta(days=300))

    assert (files.ca.read_bytes(), files.server.read_bytes()) == before
    assert mode(files.server) == 0o600
    assert b"PRIVATE KEY" not in before[0]
    assert before[1].count(b"PRIVATE KEY") == 2  # the first and last line of one key
    server, ca = (x509.load_pem_x509_certificate(content) for content in reversed(before))
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["localhost", "127.0.0.1"]
    allowed = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert allowed.critical
    assert [str(name.value) for name in allowed.value.permitted_subtrees or ()] == ["localhost", "127.0.0.1/32"]


@pytest.mark.parametrize("days", [-1, 370, 500])
def test_certificates_that_expire_soon_are_renewed(tmp_path, days):
    before = certificate.ensure(tmp_path, NOW).server.read_bytes()

    assert certificate.ensure(tmp_path, NOW + timedelta(days=days)).server.read_bytes() != before


@pytest.mark.parametrize("file", ["ca.pem", "server.pem"])
@pytest.mark.parametrize("damage", [None, b"", b"no certificate"])
def test_missing_or_damaged_certificates_are_renewed(tmp_path, file, damage):
    certificate.ensure(tmp_path, NOW)
    (tmp_path / file).unlink()
    if damage is not None:
        (tmp_path / file).write_bytes(damage)

    files = certificate.ensure(tmp_path, NOW)

    server = x509.load_pem_x509_certificate(files.server.read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(files.ca.read_bytes()))


def test_certificates_that_do_not_match_are_renewed(tmp_path):
    certificate.ensure(tmp_path, NOW)
    (tmp_path / "other").mkdir()
    (tmp_path / "ca.pem").write_bytes(certificate.ensure(tmp_path / "other", NOW).ca.read_bytes())

    files = certificate.ensure(tmp_path, NOW)

    server = x509.load_pem_x509_certificate(files.server.read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(files.ca.read_bytes()))
