"""Folders registered as datasets: `modelarts local dataset …`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Callable

import pytest

from modelarts.cli.main import cli
from modelarts.errors import ConfigError, JobFailed, ModelArtsError, ObsError
from modelarts.local.paths import LocalHome
from modelarts.local.store import Store
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code

Add = Callable[[str, str, str], None]


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share; `home` is for tests with a service of their own."""
    return shared_session


def register(dataset_id: str, version_id: str, folder: str) -> None:
    cli(["local", "dataset", "add", "--", dataset_id, version_id, folder], standalone_mode=False)


@pytest.fixture
def add(session: Session, shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Add:
    """Registers a folder under an id and a version."""
    monkeypatch.setenv("MODELARTS_HOME", str(shared_home))
    return register


def test_a_registered_dataset_is_the_input(session, tmp_path, add, capsys):
    put_code(session, tmp_path, "import sys; print(sys.argv[1])")
    add("ds1", "v1", "obs://bucket/data/")
    add("ds2", "v1", str(tmp_path / "data"))

    for dataset_id, url in (("ds1", "s3://bucket/data/"), ("ds2", "s3://modelarts-datasets/ds2/v1/")):
        estimator(session).fit(dataset_id=dataset_id, dataset_version_id="v1", wait=True)
        assert f"--data_url={url}\n" in capsys.readouterr().out


def test_an_empty_folder_name_is_refused(add, local):
    """As of a shell variable that is not set; it does not mean the working directory."""
    (local / "rows.csv").write_text("1\n")

    with pytest.raises(ConfigError, match="folder=''"):
        add("ds", "v1", "")


def test_registering_a_dataset_again_replaces_it(session, tmp_path, add):
    (tmp_path / "rows").mkdir()
    for name in ("old.csv", "new.csv"):
        (tmp_path / "rows" / name).write_text("1\n")
        add("ds", "v1", str(tmp_path / "rows"))
        (tmp_path / "rows" / name).unlink()

    assert session.obs.is_obs_path_exists("obs://modelarts-datasets/ds/v1/new.csv")
    assert not session.obs.is_obs_path_exists("obs://modelarts-datasets/ds/v1/old.csv")
    with pytest.raises(ObsError, match="contains no files"):
        add("ds", "v1", str(tmp_path / "rows"))
    assert session.obs.is_obs_path_exists("obs://modelarts-datasets/ds/v1/new.csv")


@pytest.mark.parametrize("link", ["rows/linked", "rows"])
def test_the_files_of_a_linked_folder_are_registered(session, tmp_path, add, link):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "1.csv").write_text("1\n")
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "shared")

    add("ds", "v1", str(tmp_path / "rows"))

    inside = "linked/" if link == "rows/linked" else ""
    assert session.obs.is_obs_path_exists(f"obs://modelarts-datasets/ds/v1/{inside}1.csv")


def test_a_version_named_like_a_part_copy_is_kept(session, tmp_path, add):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "1.csv").write_text("1\n")

    add("ds", "v1.part", str(tmp_path / "rows"))
    add("ds", "v1", str(tmp_path / "rows"))

    assert session.obs.is_obs_path_exists("obs://modelarts-datasets/ds/v1.part/1.csv")


WRONG = ["../../evil", "..", ".", "", "a/b", "x y", "a\n", "v~part", "数据", "a" * 65]


@pytest.mark.parametrize("argument", ["dataset_id", "version_id"])
def test_an_invalid_id_is_an_error_and_nothing_is_written(home, tmp_path, monkeypatch, argument):
    monkeypatch.setenv("MODELARTS_HOME", str(home))
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "1.csv").write_text("1\n")
    before = sorted(tmp_path.rglob("*"))

    for value in WRONG:
        ids = {"dataset_id": "ds", "version_id": "v1", argument: value}
        with pytest.raises(ConfigError) as caught:
            register(*ids.values(), str(tmp_path / "rows"))

        rule = "1 to 64 letters, digits, dots, underscores or hyphens"
        assert str(caught.value).startswith(f"{argument}={value!r}: {rule}")
        assert sorted(tmp_path.rglob("*")) == before, value


def test_every_other_id_is_accepted(session, tmp_path, add):
    put_code(session, tmp_path, ACCEPT_ANY)
    values = ["a", "My_data-1.0", "..a", "...", "a" * 64]
    jobs = []
    for value in values:
        add(value, value, str(tmp_path / "data"))
        jobs.append(estimator(session).fit(dataset_id=value, dataset_version_id=value, job_name=f"j{len(jobs)}"))

    for value, job in zip(values, jobs):
        assert job.wait(timeout=30, show=False).status == 10, value
        assert session.obs.is_obs_path_exists(f"obs://modelarts-datasets/{value}/{value}/rows.csv")


def test_a_file_instead_of_a_folder_is_an_error(session, local, add):
    (local / "d.csv").write_text("1\n")
    session.obs.upload_file("d.csv", "obs://bucket/")

    for file in ("d.csv", str(local / "d.csv"), "obs://bucket/d.csv"):
        with pytest.raises(ObsError, match=f"'{file}' is a file, and a dataset is a folder"):
            add("ds", "v1", file)


@pytest.mark.parametrize(
    ("folder", "told"),
    [("nothing", "there is no local folder 'nothing'"),
     ("/bucket/nothing/", "there is no local folder or folder of a bucket '/bucket/nothing/'"),
     ("obs://bucket//a", "between two slashes there must be a name")],
)  # fmt: skip
def test_a_folder_that_does_not_exist_is_an_error(session, local, add, folder, told):
    with pytest.raises(ModelArtsError, match=told):
        add("ds", "v1", folder)


def test_an_invalid_registration_fails_only_its_job(session, shared_home, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    jobs = []
    with contextlib.closing(Store(LocalHome.of(shared_home).store)) as store:
        for number, url in enumerate(["obs://modelarts-datasets/../../evil/v1/", "rows", ""]):
            store.datasets.put("bad id", f"v{number}", url)
            bad = {"dataset_id": "bad id", "dataset_version_id": f"v{number}"}
            jobs.append(estimator(session).fit(**bad, job_name=f"j{number}"))
    good = estimator(session).fit(inputs="/bucket/data/")

    for number, job in enumerate(jobs):
        with pytest.raises(JobFailed, match=f"dataset bad id version v{number} is registered as ") as caught:
            job.wait(timeout=30, show=False)
        assert caught.value.status == 11
        assert f"`modelarts local dataset add 'bad id' v{number} FOLDER` registers it anew" in caught.value.reason
    assert good.wait(timeout=30, show=False).status == 10
