"""Tables of what a service reports: any value is shown."""

from __future__ import annotations

import io

import pytest

from modelarts._display.tables import print_table


@pytest.mark.parametrize("value", [10**30, -(10**30), 10**18])
def test_a_time_that_no_calendar_has_is_shown_as_its_number(value: int):
    stream = io.StringIO()

    print_table([{"create_time": value}], ["create_time"], stream)

    assert stream.getvalue().splitlines()[-1] == str(value)
