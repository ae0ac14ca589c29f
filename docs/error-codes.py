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
ANY_STATUS = 400  # for codes without a documented status

HEAD = """\
# Error codes · 错误码

<!-- Written by docs/error-codes.py from modelarts/_wire/v1/codes.json: edit it, then run it. -->

The error codes of the documented v1 training API: their meaning, the class of the raised error (see
[Errors](errors.md)), and what to do next. Codes that are not listed have the class of their HTTP status. `any`: the
documentation uses the code without explaining it.

文档中 v1 训练接口的错误码：含义、对应的异常类（请参见[异常](errors.md#中文)）与处理办法。
未列出的错误码根据 HTTP 状态码确定异常类。
`any`：文档使用了该错误码，但未说明其含义。
"""
COLUMNS = ["Code", "HTTP", "Class", "English", "中文", "Next step · 下一步"]


def page() -> str:
    """The text of the page."""
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
