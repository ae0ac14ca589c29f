"""HTML for notebooks."""

from __future__ import annotations

import html
import importlib
import sys
from collections.abc import Mapping
from typing import Any

from modelarts._wire.v1.status import JobStatus

_RED = "color:#b00020;border-left:4px solid #b00020;padding-left:8px;white-space:pre-wrap"


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and shell.__class__.__name__ == "ZMQInteractiveShell"


def show_html(text: str, failed: bool = False) -> None:
    """Show a text as a block of the notebook; a failure in red."""
    display: Any = importlib.import_module("IPython.display")  # a notebook has it
    style = _RED if failed else "white-space:pre-wrap"
    display.display(display.HTML(f'<div style="{style}">{html.escape(text)}</div>'))


def response_html(response: Mapping[str, Any]) -> str:
    """A response as a table; an error in red."""
    if not response.get("is_success", True):
        reason = f"{response.get('error_code')}: {response.get('error_msg')}"
        return f'<div style="{_RED}">{html.escape(reason)}</div>'
    return f"<table>{''.join(_row(str(name), str(_named(value))) for name, value in response.items())}</table>"


class _Name(str):
    """A text that is shown without quotes, also within a list."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _named(value: Any) -> Any:
    """A value with the names of statuses in place of their numbers."""
    if isinstance(value, JobStatus):
        return _Name(value.name)
    if isinstance(value, Mapping):
        return {key: _named(member) for key, member in value.items()}
    return [_named(item) for item in value] if isinstance(value, list) else value


def _row(name: str, value: str) -> str:
    return f'<tr><th style="text-align:left">{html.escape(name)}</th><td><code>{html.escape(value)}</code></td></tr>'
