"""Positional arguments in the order of older versions of the SDK: `fit(inputs, wait, job_name)`."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional


class Arguments(NamedTuple):
    """The arguments behind `inputs` by their names; `text` is the job name of `fit`, or a description."""

    dataset_id: Any
    dataset_version_id: Any
    wait: bool
    text: Optional[str]


def by_name(dataset_id: Any, dataset_version_id: Any, wait: Any, text: Any) -> Arguments:
    """The arguments behind `inputs`, whichever order they came in.

    No dataset has `True` or `False` as its id: a caller that has one there means `wait`, and with a text the name.
    """
    given = (dataset_id, dataset_version_id, wait, text)
    if not any(isinstance(value, bool) for value in given[:2]):
        return Arguments(*given)
    waits = [value for value in given[:2] if isinstance(value, bool)]
    return Arguments(None, None, waits[0], next((value for value in given if isinstance(value, str)), None))
