"""Tokens and temporary keys: lifetimes, and reasons for being invalid."""

from __future__ import annotations

import attrs
import pytest

from modelarts.local.api.errors import ApiFailure
from modelarts.local.emulator.iam.accounts import Account
from modelarts.local.emulator.iam.tokens import Tokens

ACCOUNT = Account(
    account="a", username="u", password="p", access_key="AK", secret_key="SK", region="cn-north-4",
    project_id="project", domain_id="d", user_id="i", token_lifetime=100, keys_lifetime=1000,
)  # fmt: skip


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def code_of(action) -> tuple[str, int]:
    with pytest.raises(ApiFailure) as error:
        action()
    return error.value.code, error.value.status


def test_a_token_is_valid_for_its_project_until_it_expires_and_survives_a_restart():
    clock = Clock()
    token = Tokens(ACCOUNT, clock).issue("project")

    clock.now += 99
    assert Tokens(ACCOUNT, clock).project_of(token.text) == "project"
    clock.now += 1
    assert code_of(lambda: Tokens(ACCOUNT, clock).project_of(token.text)) == ("ModelArts.0202", 401)


def test_tokens_are_unique():
    tokens = Tokens(ACCOUNT, Clock())

    assert tokens.issue("project").text != tokens.issue("project").text


@pytest.mark.parametrize("changes", [{"password": "new"}, {"secret_key": "new"}, {"username": "new"}])
def test_new_secrets_invalidate_earlier_tokens_and_keys(changes):
    clock = Clock()
    tokens, others = Tokens(ACCOUNT, clock), Tokens(attrs.evolve(ACCOUNT, **changes), clock)
    token, keys = tokens.issue("project"), tokens.temporary_keys(900)

    assert code_of(lambda: others.project_of(token.text)) == ("ModelArts.0203", 403)
    assert code_of(lambda: others.secret_of(keys.access_key, keys.security_token)) == ("ModelArts.0206", 403)


@pytest.mark.parametrize("text", ["guess", "MIIaaa", "ä", "", "=", "A" * 43])
def test_a_malformed_token_cannot_be_decoded(text):
    assert code_of(lambda: Tokens(ACCOUNT).project_of(text)) == ("ModelArts.0203", 401)


def test_a_modified_token_is_invalid():
    tokens = Tokens(ACCOUNT, Clock())
    text = tokens.issue("project").text

    for place in range(0, len(text) - 4, 7):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        assert code_of(lambda changed=changed: tokens.project_of(changed)) == ("ModelArts.0203", 403)


def test_a_security_token_is_not_accepted_as_a_token():
    tokens = Tokens(ACCOUNT, Clock())

    keys = tokens.temporary_keys(900)

    assert code_of(lambda: tokens.project_of(keys.security_token)) == ("ModelArts.0203", 403)
    assert code_of(lambda: tokens.secret_of("AK2", tokens.issue("project").text)) == ("ModelArts.0206", 403)


def test_temporary_keys_are_valid_until_they_expire():
    clock = Clock()
    keys = Tokens(ACCOUNT, clock).temporary_keys(900)

    clock.now += 899
    assert Tokens(ACCOUNT, clock).secret_of(keys.access_key, keys.security_token) == keys.secret_key
    clock.now += 1
    assert code_of(lambda: Tokens(ACCOUNT, clock).secret_of(keys.access_key, keys.security_token)) == (
        "ModelArts.0207", 401,
    )  # fmt: skip


def test_the_lifetime_of_temporary_keys_is_limited_by_the_account():
    clock = Clock()

    assert Tokens(ACCOUNT, clock).temporary_keys(86400).expires == clock.now + 1000


def test_temporary_keys_need_their_own_security_token():
    tokens = Tokens(ACCOUNT, Clock())
    keys, others = tokens.temporary_keys(900), tokens.temporary_keys(900)

    assert keys.access_key != others.access_key
    for security_token in ("", "guess", others.security_token):
        assert code_of(lambda given=security_token: tokens.secret_of(keys.access_key, given)) == ("ModelArts.0206", 403)


def test_an_unknown_access_key_is_invalid_and_the_accounts_needs_no_security_token():
    tokens = Tokens(ACCOUNT)

    assert tokens.secret_of("AK", "") == "SK"
    assert code_of(lambda: tokens.secret_of("ak", "")) == ("ModelArts.0206", 403)


def test_the_accounts_access_key_rejects_a_security_token():
    tokens = Tokens(ACCOUNT)

    for security_token in ("guess", tokens.temporary_keys(900).security_token):
        assert code_of(lambda given=security_token: tokens.secret_of("AK", given)) == ("ModelArts.0206", 403)


def test_secrets_are_not_in_the_repr():
    tokens = Tokens(ACCOUNT, Clock())
    keys, token = tokens.temporary_keys(900), tokens.issue("project")

    shown = repr(ACCOUNT) + repr(keys) + repr(token)

    for secret in ("'SK'", "'p'", keys.secret_key, keys.security_token, token.text):
        assert secret not in shown
