"""The documentation is correct: links, names, defaults, commands, and the code that it shows."""

from __future__ import annotations

import ast
import contextlib
import doctest
import inspect
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import click
import pytest
from click.testing import CliRunner

from modelarts import errors
from modelarts._settings import table
from modelarts._submit.staging import ignore
from modelarts._wire.v1.parameters import passed_by_engine
from modelarts.cli.main import cli
from modelarts.estimator import Estimator, VisualizationJob
from modelarts.job import TrainingJob
from modelarts.local import catalog, locks
from modelarts.local.runtime.arguments import Node, engine_arguments, engine_environment
from modelarts.session import Session

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in ("docs", "examples", "notebooks", "benchmarks", "tests")
                                      for page in (ROOT / folder).rglob("*.md"))])  # fmt: skip
EXECUTED_PAGES = [ROOT / "README.md", ROOT / "README.zh.md", DOCS / "quickstart.md", DOCS / "quickstart.zh.md"]
FIRST_JOB = "examples/first_job/first_job.py"
SAMPLE = Path(__file__).with_name("data") / "zh_sdk_modelarts_04_0178" / "sample1.py"

FENCE = re.compile(r"^ *(```+)(\w*)\n(.*?)^ *\1 *$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!-- (run|prints|file (\S+)) -->\n\Z")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@attrs.frozen
class Block:
    """A fenced block: language, text, first line, and the directive in the comment before it."""

    language: str
    text: str
    line: int
    directive: str
    file: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        comment = COMMENT.search(text, 0, match.start())
        directive, file = (comment[1].partition(" ")[0], comment[2] or "") if comment else ("", "")
        found.append(Block(match[2], match[3], text.count("\n", 0, match.start(3)), directive, file))
    return found


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


# --- links


def anchors(page: Path) -> set[str]:
    """The anchors of headings on GitHub."""
    titles = re.findall(r"^#{1,6} +(.+?) *#*$", prose(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)) for title in titles]
    return {title.strip().lower().replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_are_not_broken(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(target)

    assert broken == []


def test_readme_and_error_state_the_same_requirements() -> None:
    for page in (ROOT / "README.md", DOCS / "local-service.md"):
        assert locks.NEEDS_LINUX.casefold() in " ".join(prose(page).split()).casefold()


# --- names


def rows(page: Path) -> dict[str, list[str]]:
    """The cells of table rows, by the code in the first cell."""
    cells = [line.strip().strip("|").split("|") for line in prose(page).splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row] for row in cells}


def as_shown(default: Any) -> str:
    """A default as it is written in `config.json`; a dash if there is none."""
    if default in (None, ""):
        return "—"
    return f"`{json.dumps(int(default) if isinstance(default, float) else default)}`"


@pytest.mark.parametrize("setting", table.SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_documented_with_its_variables_its_default_and_its_meaning(setting: table.Setting) -> None:
    row = rows(DOCS / "settings.md").get(setting.name)

    assert row is not None, f"docs/settings.md has no row for {setting.name}"
    assert row[1] == ", ".join(f"`{variable}`" for variable in setting.env)
    assert row[2] == as_shown(setting.default)
    assert row[3] == setting.help


@pytest.mark.parametrize("name", [*ignore.NAMES, *ignore.ENVIRONMENTS])
def test_ignored_names_are_listed_in_both_languages(name: str) -> None:
    tables = [line for line in prose(DOCS / "staging.md").splitlines() if line.startswith("| ")]

    assert sum(f"`{name}`" in line for line in tables) == 2


def test_every_documented_setting_exists() -> None:
    assert set(rows(DOCS / "settings.md")) == {setting.name for setting in table.SETTINGS}


def test_every_error_is_documented() -> None:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]

    assert {kind.__name__ for kind in classes} == set(rows(DOCS / "errors.md"))


def test_the_documented_error_tree_is_that_of_the_code() -> None:
    tree = re.search(r"^ModelArtsError\n(?:.+\n?)+", inspect.getdoc(errors) or "", re.MULTILINE)
    assert tree is not None
    drawn = tree[0].splitlines()

    shown = next(block.text.splitlines() for block in blocks(DOCS / "errors.md") if "ModelArtsError" in block.text)

    assert shown == drawn


def public(kind: type) -> list[str]:
    return [
        name for name, value in inspect.getmembers(kind)
        if not name.startswith("_") and (callable(value) or isinstance(value, property))
    ]  # fmt: skip


def coded(page: Path) -> set[str]:
    """The words in the code of a page."""
    code = [block.text for block in blocks(page)] + re.findall(r"`([^`]+)`", prose(page))
    return {word for text in code for word in re.findall(r"\w+", text)}


@pytest.mark.parametrize("kind", [Session, Estimator, TrainingJob, VisualizationJob], ids=lambda kind: kind.__name__)
def test_every_public_name_is_documented(kind: type) -> None:
    documented = set().union(*(coded(page) for page in [ROOT / "README.md", *DOCS.glob("*.md")]))

    assert [name for name in public(kind) if name not in documented] == []


@pytest.mark.parametrize("line", blocks(DOCS / "architecture.md")[0].text.splitlines())
def test_the_map_shows_existing_files(line: str) -> None:
    first, *others = re.split(r" {2,}", line)[0].split(" ")
    folder = (ROOT / first).parent

    assert [name for name in [Path(first).name, *others] if not (folder / name).exists()] == []


def called_on(owner: str) -> set[str]:
    """The calls on an object or class that the table of all calls shows."""
    table = "".join(line for line in prose(DOCS / "README.md").splitlines() if line.startswith("|"))
    return set(re.findall(rf"`{owner}\.(\w+)\(", table))


def test_the_table_of_calls_names_the_right_owner_of_each() -> None:
    on_jobs, on_estimators = set(public(TrainingJob)), set(public(Estimator))
    on_class = {name for name in on_estimators if isinstance(inspect.getattr_static(Estimator, name),
                                                             (staticmethod, classmethod))}  # fmt: skip

    assert called_on("job") == on_jobs
    assert on_jobs <= on_estimators
    assert called_on("Estimator") == on_class
    assert {*called_on("estimator"), "create_job_config"} == on_estimators - on_jobs - on_class


@pytest.mark.parametrize("kind", [Estimator, VisualizationJob], ids=lambda kind: kind.__name__)
def test_calls_on_a_class_take_a_session(kind: type) -> None:
    for name in called_on(kind.__name__):
        assert next(iter(inspect.signature(getattr(kind, name)).parameters)) == "modelarts_session"


def table_after(page: Path, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    rows = re.findall(r"^\|(.+)\|$", prose(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[2:]]


def test_both_languages_list_the_same_failures() -> None:
    english = table_after(DOCS / "local-service.md", "Failures you can simulate")
    chinese = table_after(DOCS / "local-service.zh.md", "可模拟的失败")

    def facts(row: list[str]) -> tuple[list[str], list[str]]:
        return sorted(re.findall(r"`[^`]+`", row[1])), re.findall(r"\d+", " ".join(row[2:]))

    assert [facts(row) for row in english] == [facts(row) for row in chinese] != []


# --- the training environment


def options(engine: str, count: int) -> list[str]:
    node = Node(0, count, gpus=0, data=None, output=None, code=None, job_id="1")
    return [f"--{name}" for name, _ in engine_arguments(engine, node)]


def test_the_arguments_of_each_engine_are_documented() -> None:
    found = re.search(r"^\| Engine \| Arguments \|\n.*\n((?:\|.*\n)+)", prose(DOCS / "local-service.md"), re.MULTILINE)
    assert found is not None
    table = [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]
    documented = {engine: said for engines, said in table for engine in engines.split(", ")}

    for engine in {row["engine_name"] for row in catalog.load().engines.values()}:
        one, _, more = documented.get(engine, documented["all others"]).partition("; with several nodes also ")
        flags = [re.findall(r"--\w+", part) for part in (one, more)]
        assert (options(engine, 1), options(engine, 2)) == (flags[0], flags[0] + flags[1])
        told = [[f"--{name}" for name in passed_by_engine(engine, count)] for count in (1, 2)]
        assert told == [options(engine, 1), options(engine, 2)]  # the SDK warns of hyperparameters named like them


def test_the_variables_of_each_engine_are_documented() -> None:
    node = Node(0, 2, gpus=0, data=None, output=None, code=None, job_id="1")
    page = (DOCS / "reference" / "local-service.md").read_text(encoding="utf-8")

    for engine in {row["engine_name"] for row in catalog.load().engines.values()}:
        for variable in engine_environment(engine, node):
            assert f"`{re.sub('[01]', '<i>', variable)}`" in page


# --- commands


def commands(block: Block) -> list[tuple[list[str], str]]:
    """The `modelarts` commands of a console block, each with the output that is shown below it."""
    found = re.findall(r"^\$ modelarts (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)
    return [(shlex.split(arguments, comments=True), shown) for arguments, shown in found]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_documented_commands_exist(page: Path) -> None:
    for block in blocks(page):
        if block.language == "console":
            assert not re.search("^modelarts ", block.text, re.MULTILINE), "commands begin with a prompt: $ modelarts"
            for arguments, _ in commands(block):
                assert_exists(arguments)


def assert_exists(arguments: list[str]) -> None:
    """Parse a command; click raises an error for an unknown command or option."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        _, found, arguments = command.resolve_command(click.Context(command), arguments)
        assert found is not None
        command = found
    command.make_context(command.name, arguments)


# --- code


@pytest.fixture
def folder(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a user of the local service; it has only the examples of the repository."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(work)
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    monkeypatch.setenv("MODELARTS_MODE", "local")
    return work


def write_files(page: Path, folder: Path) -> None:
    for block in blocks(page):
        if block.directive == "file":
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def run_python(page: Path, block: Block, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    code = compile("\n" * block.line + block.text, str(page), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def run_console(block: Block) -> str:
    for arguments, shown in commands(block):
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
        assert_printed(shown, done.output)
    return ""


def assert_printed(shown: str, printed: str) -> None:
    """A page shows the printed text; `…` matches anything."""
    if not doctest.OutputChecker().check_output(shown.replace("…", "...").rstrip(), printed.rstrip(), doctest.ELLIPSIS):
        pytest.fail(f"the page shows:\n{shown}\nbut this was printed:\n{printed}")


def run_page(page: Path, folder: Path, again: bool = False) -> None:
    """Run the blocks of a page in one namespace; `again`: for a user who has run them before."""
    write_files(page, folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = ""
    try:
        for block in blocks(page):
            if block.directive == "run":
                printed = run_python(page, block, names) if block.language == "python" else run_console(block)
            elif block.directive == "prints" and again:
                assert_printed(without_uploads(block.text), without_uploads(printed))
            elif block.directive == "prints":
                assert_printed(block.text, printed)
    finally:
        for value in names.values():
            if isinstance(value, Session):
                value.close()


def without_uploads(text: str) -> str:
    """A text that does not say whether something was uploaded: what was uploaded before is not uploaded again."""
    size = r"(\(.+\)|…)"
    lines = rf"^(?:uploading (\S+) {size}.*|(\S+) is unchanged, not sent again {size})$"
    return re.sub(lines, r"\1\3 \2\4", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("page", "translated"), [EXECUTED_PAGES[:2], EXECUTED_PAGES[2:]], ids=["README", "quickstart"])
def test_the_code_of_a_page_runs_for_a_new_user_and_then_that_of_its_translation(
    page: Path, translated: Path, folder: Path
) -> None:
    run_page(page, folder)
    run_page(translated, folder, again=True)


def test_the_first_job_of_the_readme_is_a_script_of_the_repository(folder: Path) -> None:
    shown = next(block for block in blocks(EXECUTED_PAGES[0]) if block.directive == "run")
    assert shown.text == (ROOT / FIRST_JOB).read_text(encoding="utf-8")
    assert len([line for line in shown.text.splitlines() if line]) <= 10
    command = f"$ python {FIRST_JOB}"
    assert all(command in page.read_text(encoding="utf-8") for page in EXECUTED_PAGES[:2])

    done = subprocess.run([sys.executable, FIRST_JOB], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nJOBSTAT_COMPLETED\n")


@pytest.mark.parametrize("page", EXECUTED_PAGES, ids=name_of)
def test_directives_stand_before_blocks_and_each_page_runs_code(page: Path) -> None:
    directed = [block for block in blocks(page) if block.directive]

    assert len(directed) == len(re.findall(r"^<!--", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert any(block.directive == "run" and block.language == "python" for block in directed)


@pytest.mark.parametrize(("page", "translated"), [EXECUTED_PAGES[:2], EXECUTED_PAGES[2:]], ids=["README", "quickstart"])
def test_both_languages_show_the_same_code(page: Path, translated: Path) -> None:
    def code(of: Path) -> list[str]:
        return [ast.dump(ast.parse(block.text)) for block in blocks(of) if block.language == "python"]

    assert code(page) == code(translated)


@pytest.mark.parametrize("page", EXECUTED_PAGES[:2], ids=name_of)
def test_the_documented_sample_is_shown_unchanged(page: Path) -> None:
    sample = ast.dump(ast.parse(SAMPLE.read_text(encoding="utf-8")))
    shown = [ast.dump(ast.parse(block.text)) for block in blocks(page) if block.language == "python"]

    assert sample in shown
