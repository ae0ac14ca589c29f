"""The source says what Windows needs: encodings of text files, and nothing that only Unix has outside of `local`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelarts

PACKAGE = Path(modelarts.__file__).parent
UNIX_MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
UNIX_FUNCTIONS = {
    "chown", "chroot", "fchmod", "fchown", "fork", "getegid", "geteuid", "getgid", "getuid", "killpg", "mkfifo",
    "pread", "pwrite", "setsid", "statvfs", "sysconf", "uname", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK",
    "SIGKILL", "SIGHUP", "SIGUSR1",
}  # fmt: skip
TEXT = {"open", "fdopen", "read_text", "write_text", "TemporaryFile", "NamedTemporaryFile", "TextIOWrapper"}
PROCESSES = {"run", "Popen", "check_output"}
UNIX_NAMES = re.compile(rf"\b({'|'.join(UNIX_MODULES | UNIX_FUNCTIONS)})\b")
CALLS = re.compile(rf"({'|'.join(TEXT | PROCESSES)})\s*\(")


def unix_only(source: str) -> list[str]:
    """What only Unix has in a module: imports that no `except ImportError` covers, and functions."""
    if not UNIX_NAMES.search(source):  # sooner known than parsed
        return []
    tree = ast.parse(source)
    guarded = {
        id(node)
        for statement in ast.walk(tree) if isinstance(statement, ast.Try)
        if any(handler.type is not None and "ImportError" in ast.unparse(handler.type)
               for handler in statement.handlers)
        for part in statement.body for node in ast.walk(part)
    }  # fmt: skip
    return [found for node in ast.walk(tree) if id(node) not in guarded for found in _unix_names(node)]


def _unix_names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [alias.name.partition(".")[0] for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [(node.module or "").partition(".")[0]]
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("os", "signal"):
        names = [f"{node.value.id}.{node.attr}"] if node.attr in UNIX_FUNCTIONS else []
        yield from (f"{name}, line {node.lineno}" for name in names)
        return
    else:
        return
    yield from (f"{name}, line {node.lineno}" for name in names if name in UNIX_MODULES)


def without_encoding(source: str) -> list[int]:
    """The lines that open a text file, or the output of a process as text, in whatever encoding the system has."""
    if not CALLS.search(source):
        return []
    return [node.lineno for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call) and _is_text(node) and not _has_encoding(node)]  # fmt: skip


def _is_text(call: ast.Call) -> bool:
    name = _called(call)
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in PROCESSES:
        return bool({"text", "universal_newlines"} & {*options})
    if name not in TEXT or ast.unparse(call.func) == "os.open":
        return False
    modes = [value for value in [*call.args, options.get("mode")] if isinstance(value, ast.Constant)]
    texts = [mode.value for mode in modes if isinstance(mode.value, str) and set(mode.value) <= set("rwxabt+")]
    return not any("b" in mode for mode in texts) and (bool(texts) or "File" not in name)


def _called(call: ast.Call) -> str:
    """The last name of what is called."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _has_encoding(call: ast.Call) -> bool:
    position = {"read_text": 0, "write_text": 1}.get(_called(call), 99)
    return len(call.args) > position or any(keyword.arg == "encoding" for keyword in call.keywords)


def sources() -> dict[str, str]:
    files = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_only_the_local_service_needs_unix():
    found = {name: unix_only(source) for name, source in sources().items() if not name.startswith("local/")}

    assert {name: problems for name, problems in found.items() if problems} == {}


def test_text_files_are_opened_with_an_encoding():
    found = {name: without_encoding(source) for name, source in sources().items()}

    assert {name: lines for name, lines in found.items() if lines} == {}


# --- the rules themselves


@pytest.mark.parametrize("source", [
    "import fcntl", "import os, pwd", "from resource import getrlimit", "def f():\n    import termios",
    "os.pwrite(1, b'', 0)", "os.open(path, os.O_RDWR | os.O_CLOEXEC)",
    "try:\n    import fcntl\nexcept OSError:\n    pass",
])  # fmt: skip
def test_what_only_unix_has_is_found(source: str):
    assert len(unix_only(source)) == 1


@pytest.mark.parametrize("source", [
    "import os", "from .resource import Resource", "try:\n    import fcntl\nexcept ImportError:\n    pass",
    "os.replace(a, b)", "getattr(os, 'O_NOFOLLOW', 0)",
])  # fmt: skip
def test_what_every_system_has_passes(source: str):
    assert unix_only(source) == []


@pytest.mark.parametrize("source", [
    "open(path)", "open(path, 'w')", "path.open()", "path.open('a')", "path.read_text()", "path.write_text('x')",
    "os.fdopen(3, 'w')", "subprocess.run(x, text=True)", "tempfile.NamedTemporaryFile('w')",
])  # fmt: skip
def test_text_without_an_encoding_is_found(source: str):
    assert without_encoding(source) == [1]


@pytest.mark.parametrize("source", [
    "open(path, 'rb')", "path.open('wb', buffering=0)", "path.open(mode='rb')", "os.open(path, os.O_RDWR)",
    "path.read_text(encoding='utf-8')", "path.read_text('utf-8')", "path.write_text('x', 'utf-8')", "path.read_bytes()",
    "subprocess.run(x)", "subprocess.run(x, text=True, encoding='utf-8')", "tempfile.NamedTemporaryFile()",
    "open(path, encoding='utf-8')",
])  # fmt: skip
def test_bytes_and_text_with_an_encoding_pass(source: str):
    assert without_encoding(source) == []
