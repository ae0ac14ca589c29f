"""HTML for notebooks."""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping
from typing import Any

_RED = "color:#b00020;border-left:4px solid #b00020;padding-left:8px;white-space:pre-wrap"


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and shell.__class__.__name__ == "ZMQInteractiveShell"


def show_html(text: str, failed: bool = False) -> None:
    """Show a text as a block of the notebook, red when something failed."""
    from IPython.display import HTML, display  # there: `in_notebook` said so

    style = _RED if failed else "white-space:pre-wrap"
    display(HTML(f'<div style="{style}">{html.escape(text)}</div>'))


def response_html(response: Mapping[str, Any]) -> str:
    """A response as a table; a refusal in red."""
    if not response.get("is_success", True):
        reason = f"{response.get('error_code')}: {response.get('error_msg')}"
        return f'<div style="{_RED}">{html.escape(reason)}</div>'
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(str(name))}</th><td><code>{html.escape(str(value))}</code></td></tr>"
        for name, value in response.items()
    )
    return f"<table>{rows}</table>"
