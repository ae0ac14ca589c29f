"""What a version leaves: metrics of its own, and a warning about results that would be lost."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from modelarts.errors import JobFailed
from modelarts.job import TrainingJob
from modelarts.local.paths import LocalHome
from modelarts.local.places import lost_results, metrics
from modelarts.local.places.results import metric_files
from modelarts.local.runtime.log_lines import LOCAL_LOG
from modelarts.session import Session
from tests.support.files import put
from tests.support.jobs import estimator, put_code
from tests.support.processes import end_service

GOOD = {"total_metric": {"total_metric_meta": {}, "total_metric_values": {"accuracy": 0.5}}}
OTHER = {"total_metric": {"total_metric_values": {"accuracy": 0.25}}}

# Runs the Python code in its hyperparameter, with the folder of its output and of its input.
SCRIPT = """
    import json, os, pathlib, shutil, sys
    options = dict(argument[2:].partition("=")[::2] for argument in sys.argv[1:])
    output = pathlib.Path(options["buckets"], options["train_url"][len("s3://"):])
    data = pathlib.Path(options["buckets"], options["data_url"][len("s3://"):])
    exec(options["code"])
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("results") / "state"
    yield place
    end_service(place)


@pytest.fixture(scope="module")
def session(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with pytest.MonkeyPatch.context() as patch, Session.local(home) as opened:
        patch.setenv("HOME", str(home))
        opened.obs.create_bucket("bucket")
        put_code(opened, tmp_path_factory.mktemp("code"), SCRIPT)
        yield opened


@pytest.fixture
def run(session: Session, home: Path, request: pytest.FixtureRequest) -> Callable[..., tuple[Any, str]]:
    """Runs Python code as a job with an output folder of the test; returns the version and its log."""
    output = f"/bucket/{request.node.name.replace('[', '-').replace(']', '')}/"

    def run_job(code: str, **arguments: Any) -> tuple[Any, str]:
        parameters = {"buckets": str(LocalHome.of(home).buckets), "code": code}
        job = estimator(session, **{"output_path": output, "hyperparameters": parameters, **arguments}).fit(
            inputs="/bucket/data/"
        )
        with contextlib.suppress(JobFailed):
            job.wait(show=False)
        return job.get_job_info(), job.get_job_log(job.get_job_log_file_list().log_file_list[-1]).content

    return run_job


def write(name: str, content: Any) -> str:
    return f"p = output / {name!r}; p.parent.mkdir(exist_ok=True); p.write_text({json.dumps(content)!r})"


# --- metrics


def test_waiting_returns_the_metrics_too(session, home):
    parameters = {"buckets": str(LocalHome.of(home).buckets), "code": write("metric.json", GOOD)}
    job = estimator(session, output_path="/bucket/waited/", hyperparameters=parameters).fit(inputs="/bucket/data/")

    assert job.wait(show=False).model_metric_list == job.get_job_info().model_metric_list == GOOD


def test_metrics_of_an_earlier_version_in_the_same_folder_are_not_reported_as_new(run, session):
    """What is written again with the same content is; each version keeps its own."""
    versions = [
        run(code)
        for code in (write("metric.json", GOOD), "print('writes nothing')", write("metric.json", GOOD),
                     write("metric.json", OTHER), write("model/metric.json", GOOD))
    ]  # fmt: skip

    expected = [GOOD, {}, GOOD, OTHER, GOOD]
    assert [info.model_metric_list for info, _ in versions] == expected
    assert "is not used" not in versions[1][1]
    later = [TrainingJob(session, info.job_id, info.version_id).get_job_info() for info, _ in versions]
    assert [info.model_metric_list for info in later] == expected


def test_a_metric_file_that_cannot_be_used_is_named_in_the_log(run):
    info, log = run("os.mkfifo(output / 'metric.json'); (output / 'model').mkdir(); "
                    "(output / 'model' / 'metric.json').write_text('not JSON')")  # fmt: skip

    assert info.model_metric_list == {}
    told = [line for line in log.splitlines() if "is not used" in line]
    assert len(told) == 2
    assert all(line.startswith(f"{LOCAL_LOG}s3://bucket/") for line in told)
    assert told[0].endswith("metric.json is not used for model_metric_list: it is not a regular file")
    assert "model/metric.json is not used for model_metric_list: it is not JSON: Expecting value" in told[1]


def test_a_version_that_fails_has_no_metrics(run):
    info, _ = run(write("metric.json", GOOD) + "; sys.exit(3)")

    assert info.model_metric_list == {}


def kept(folder: Path) -> tuple[Any, list[str]]:
    """The metrics that a version would have that wrote all files of a folder, and the problems in its log."""
    store = folder.parent / "metrics.json"
    spec = {"output": str(folder), "url": "s3://bucket/output/", "metrics": str(store)}
    problems = list(metrics.keep(spec, dict.fromkeys(metric_files(str(folder)))))
    return json.loads(store.read_text()) if store.exists() else None, problems


USABLE = [
    (b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), GOOD),
    (b'{"total_metric": {"total_metric_values": {"loss": NaN, "f1": 1e999, "n": 3}}}',
     {"total_metric": {"total_metric_values": {"loss": None, "f1": None, "n": 3}}}),
    (b'{"metric": [{"metric_values": {}}], "more": "\\u00e4"}', {"metric": [{"metric_values": {}}], "more": "ä"}),
    (b'{"metric": [], "n": ' + b"9" * 5000 + b"}", {"metric": [], "n": None}),
]  # fmt: skip
UNUSABLE = [
    (b"", "it is not JSON"), (b"\xff\xfe\xfa", "it is not UTF-8"), (b"[]", "neither total_metric nor metric"),
    (b"5", "neither total_metric nor metric"), (b'{"accuracy": 0.5}', "neither total_metric nor metric"),
    (b"[" * 100_000, "it is nested too deeply"),
    (b'{"metric": [], "a": ' + b"[" * 60 + b"]" * 60 + b"}", "it is nested too deeply"),
    (b'{"metric": {}}', "metric must be a list"),
    (b'{"total_metric": {"total_metric_values": []}}', "must be objects"),
    (b'{"metric": []' + b" " * metrics.METRIC_BYTES + b"}", "at most 1048576 are read"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), USABLE, ids=range(len(USABLE)))
def test_metrics_become_strict_json(tmp_path, content, expected):
    put(tmp_path / "output" / "metric.json", content)

    assert kept(tmp_path / "output") == (expected, [])


@pytest.mark.parametrize(("content", "reason"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_metrics_of_another_form_are_not_kept(tmp_path, content, reason):
    put(tmp_path / "output" / "metric.json", content)

    found, (problem,) = kept(tmp_path / "output")

    assert found is None
    assert problem.startswith("s3://bucket/output/metric.json is not used for model_metric_list: ")
    assert reason in problem and "\n" not in problem


def _to_a_secret(path: Path) -> None:
    path.symlink_to(put(path.parents[2] / "secret", json.dumps(GOOD)))


def _by_its_folder(path: Path) -> None:
    path.parent.rmdir()
    path.parent.symlink_to(put(path.parents[2] / "elsewhere" / "metric.json", json.dumps(GOOD)).parent)


@pytest.mark.parametrize("create", [Path.mkdir, os.mkfifo, _to_a_secret, _by_its_folder,
                                    lambda path: path.symlink_to("/dev/zero")])  # fmt: skip
def test_metrics_are_read_from_regular_files_of_the_output_folder_only(tmp_path, create):
    (tmp_path / "output" / "model").mkdir(parents=True)
    create(tmp_path / "output" / "model" / "metric.json")

    found, (problem,) = kept(tmp_path / "output")

    assert found is None
    assert "not a regular file" in problem or "outside the output folder" in problem


def test_a_link_within_the_output_folder_is_followed(tmp_path):
    put(tmp_path / "output" / "best" / "numbers.json", json.dumps(GOOD))
    (tmp_path / "output" / "metric.json").symlink_to("best/numbers.json")

    assert kept(tmp_path / "output") == (GOOD, [])


# --- results that would be lost


def lost(log: str) -> list[str]:
    """The lines about lost results, without their beginning."""
    lines = [line[len(LOCAL_LOG) :] for line in log.splitlines() if line.startswith(LOCAL_LOG)]
    start = next((number for number, line in enumerate(lines) if "remained on the node" in line), len(lines))
    return lines[start : start + 2]


def test_results_in_the_working_directory_are_named_when_the_output_stays_empty(run):
    code = "os.mkdir('ckpt'); pathlib.Path('log.txt').write_text('x' * 100); pathlib.Path('ckpt/a.pth').write_text('y')"

    _, log = run(code)

    told, advice = lost(log)
    assert told.startswith("nothing was written to train_url (s3://bucket/")
    assert told.endswith("and 2 files (101 bytes) remained on the node: ckpt/a.pth, log.txt")
    assert advice.startswith("write results to the path in train_url; these files stay in /")
    assert log.splitlines()[-1] == "[Modelarts Service Log]Training completed."


def test_results_in_cache_are_named_by_their_path(run):
    _, log = run("""if True:
        cache = pathlib.Path("/cache" if os.path.isdir("/cache") else "../../../cache")  # without a tree of its own
        (cache / "best.pth").write_text("x")
    """)

    assert lost(log)[0].endswith("1 file (1 byte) remained on the node: /cache/best.pth")


def test_a_url_that_became_a_folder_is_explained(run):
    _, log = run("os.makedirs(options['train_url']); open(options['train_url'] + 'model.pth', 'w').write('x')")

    assert "1 file (1 byte) remained on the node: s3:/bucket/" in lost(log)[0]
    assert f"{LOCAL_LOG}Python takes s3://… as a folder: use mox.file, or call mox.file.shift('os', 'mox')" in log


def test_a_failed_version_names_them_too(run):
    _, log = run("[pathlib.Path(f'{n}.ckpt').write_text('x') for n in range(5)]; sys.exit(1)")

    assert lost(log)[0].endswith("5 files (5 bytes) remained on the node: 4.ckpt, 3.ckpt, 2.ckpt, …")


@pytest.mark.parametrize("code", [
    "print('nothing')",
    "(output / 'model.pth').write_text('m'); pathlib.Path('log.txt').write_text('x')",
    "(output / '.ckpt').mkdir(); (output / '.ckpt' / 'a').write_text('m'); pathlib.Path('log.txt').write_text('x')",
    "import src; shutil.copytree(data, 'data'); shutil.copytree('src', 'code2'); pathlib.Path('empty').touch()",
    "os.makedirs('.cache/pip'); pathlib.Path('.cache/pip/x').write_text('x')",
])  # fmt: skip
def test_nothing_is_said_about_what_is_not_lost(run, code):
    info, log = run(code)

    assert info.status.name == "JOBSTAT_COMPLETED"
    assert lost(log) == []


def test_files_of_an_earlier_version_and_the_log_do_not_count_as_results(run):
    run("(output / 'model.pth').write_text('m')", output_path="/bucket/twice/")

    code = "pathlib.Path('model.pth').write_text('m')"
    _, log = run(code, output_path="/bucket/twice/", log_url="/bucket/twice/log/")

    assert lost(log)[0].endswith("1 file (1 byte) remained on the node: model.pth")


def test_each_worker_names_its_own(session, run):
    _, log = run("rank = options['rank']; pathlib.Path(f'of{rank}').write_text(rank)", train_instance_count=2)

    assert lost(log)[0].endswith("1 file (1 byte) remained on the node: of1")


def test_a_very_large_folder_does_not_delay_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(lost_results, "ENTRIES", 10)
    for name in range(50):
        put(tmp_path / "work" / f"{name}.jpg")
    spec = {"results": {"scratch": [{"": str(tmp_path / "work")}], "output": None, "url": "", "advice": ["do"]},
            "workers": [{"log_object": None}], "code": None, "input": None}  # fmt: skip

    (told, _), = lost_results.lines(spec, began=0)

    assert told.startswith("there is no train_url, and 10 files")
