"""Writes README.md of this folder from the docstrings of the samples: `python docs/samples/_index.py`."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"

TITLE = re.compile(r"(modelarts_04_\d{4}): (.+) · (.+)")
SAMPLE = re.compile(r"^# Sample (\d+): (.+)$", re.MULTILINE)
# Pages in one language only: the title that this project translated.
TRANSLATED = {"modelarts_04_0222": 0, "modelarts_04_0300": 1}

HEAD = """\
# Samples of the SDK reference · SDK 参考中的示例

<!-- Written by docs/samples/_index.py from the samples: edit them, then run it. -->

The samples of the ModelArts Python SDK reference as scripts for the local service, with the same calls and the same
arguments. Only ids, local folders and credentials differ.

《ModelArts Python SDK 参考》中各页示例的可运行版本：调用和参数与示例一致，只替换了 ID、本地目录和凭证。
请在仓库根目录下执行：

```console
$ MODELARTS_MODE=local python docs/samples/modelarts_04_0131_create_job.py
```

Each script first creates the buckets, code, data and jobs that it needs, see [_setup.py](_setup.py) and
[_bucket](_bucket). To separate them from your own jobs, set `MODELARTS_HOME`. Samples that start a TensorBoard need
`pip install '.[tensorboard]'`, and stop it at the end.

每个脚本会先创建所需的桶、代码、数据和作业，设置 `MODELARTS_HOME` 可将其与您自己的作业隔离。启动 TensorBoard 的示例需要
`pip install '.[tensorboard]'`，结束时会停止 TensorBoard。
"""

TAIL = """\
Titles with an asterisk are translated by this project, because the page exists in one language only.

带星号的标题由本项目翻译，因为该页只有一种语言的版本。
"""


@dataclass(frozen=True)
class Sample:
    """A file: its page, the titles of the page, its description, and a line for each of its samples."""

    file: str
    page: str
    titles: tuple[str, str]
    about: str
    parts: tuple[str, ...]


def samples() -> list[Sample]:
    """All files, in the order of their pages."""
    return [read(file) for file in sorted(FOLDER.glob("modelarts_*.py"))]


def read(file: Path) -> Sample:
    text = file.read_text(encoding="utf-8")
    first, _, rest = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")
    title = TITLE.fullmatch(first)
    if title is None:
        raise ValueError(f"{file.name}: its docstring begins with {first!r}, not with the page and its titles")
    parts = SAMPLE.findall(text)
    if [int(number) for number, _ in parts] != list(range(1, len(parts) + 1)):
        raise ValueError(f"{file.name}: its samples are not numbered from 1")
    return Sample(file.name, title[1], (title[2], title[3]), " ".join(rest.split()), tuple(part for _, part in parts))


def page() -> str:
    """The text of README.md."""
    found = samples()
    lines = ["| Page · 页面 | Title · 标题 | File · 文件 | Samples · 示例数 | Content · 内容 |", f"|{'---|' * 5}"]
    for sample in found:
        titles = [
            f"{title}\\*" if TRANSLATED.get(sample.page) == number else title
            for number, title in enumerate(sample.titles)
        ]
        link = f"[{sample.file.removeprefix(sample.page + '_')}]({sample.file})"
        lines.append(f"| {sample.page} | {' · '.join(titles)} | {link} | {len(sample.parts)} | {sample.about} |")
    count = sum(len(sample.parts) for sample in found)
    total = f"{len(found)} pages, {count} samples · 共 {len(found)} 页，{count} 个示例"
    return "\n".join([HEAD, total, "", *lines, "", TAIL])


if __name__ == "__main__":
    README.write_text(page(), encoding="utf-8")
