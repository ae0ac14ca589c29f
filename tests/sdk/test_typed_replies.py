"""The types of replies are generated from the contract; `test_type_checkers.py` shows what they are for."""

from __future__ import annotations

from tests.support import typed_replies


def test_the_types_are_those_of_the_contract():
    written = typed_replies.MODULE.read_text(encoding="utf-8")

    assert written == typed_replies.module(), "run `python -m tests.support.typed_replies`"
