"""Writes docs/error-codes.md from `modelarts/_wire/v1/codes.json`: `python docs/error-codes.py`.

`--check` writes nothing and fails when the page is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from modelarts import errors
from modelarts._wire.v1 import codes

PAGE = Path(__file__).with_suffix(".md")
LANGUAGES = ("en", "zh")
ANY_STATUS = 400  # what a code without a documented status is looked up with

HEAD = """\
# Error codes · 错误码

<!-- Written by docs/error-codes.py from modelarts/_wire/v1/codes.json: change that, then run it. -->

What the error codes of the documented v1 training API mean, the class that each is raised as
([Errors](errors.md) draws their tree), and what to do next. A code that is not listed here has the class of its HTTP
status. `any`: the documents use the code without saying what it means.

文档中 v1 训练接口的错误码：含义、对应的异常类（见[异常](errors.md)）与处理办法。未列出的错误码按 HTTP 状态码归类。
`any`：文档使用了该错误码，但未说明其含义。
"""
COLUMNS = ["Code", "HTTP", "Class", "English", "中文", "Next step · 下一步"]


def page() -> str:
    """The whole page."""
    table = codes.documented()
    rows = [
        row(code, status, meant["meaning"])
        for code, statuses in sorted(table["codes"].items()) for status, meant in sorted(statuses.items())
    ]  # fmt: skip
    gateway = "".join(f"\n{table['gateway']['meaning'][language]}\n" for language in LANGUAGES)
    lines = [f"| {' | '.join(cells)} |" for cells in [COLUMNS, ["---"] * len(COLUMNS), *rows]]
    return "\n".join([HEAD, *lines, "", "## APIGW.*", gateway])


def row(code: str, status: str, meaning: dict[str, str]) -> list[str]:
    kind, advice = codes.explained(code, ANY_STATUS if status == "any" else int(status))
    next_step = advice.next_step or kind._next_step
    return [
        f"`{code}`", status, "by status · 按状态码" if kind is errors.ApiError else f"`{kind.__name__}`",
        *(meaning[language] for language in LANGUAGES),
        "<br>".join(next_step[language] for language in LANGUAGES if next_step),
    ]  # fmt: skip


if __name__ == "__main__":
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE.name} is stale: run `python docs/{Path(__file__).name}`")
