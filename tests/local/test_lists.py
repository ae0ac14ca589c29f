"""Lists of jobs, versions and configurations: paging, sorting, filters, handles, tables."""

from __future__ import annotations

import pytest

from modelarts.errors import ArgumentError
from modelarts.estimator import Estimator
from modelarts.job import TrainingJob
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code, until


@pytest.fixture
def session(shared_session: Session) -> Session:
    """On the service that tests share; `home` is for tests with a service of their own."""
    return shared_session


@pytest.fixture
def jobs(session, tmp_path):
    """Five jobs without a version: quick to create, and listed like any other."""
    put_code(session, tmp_path, ACCEPT_ANY)
    idle = estimator(session, create_version=False)
    names = ["delta", "alpha", "echo", "bravo", "alphabet"]
    return {name: idle.fit(inputs="/bucket/data/", job_name=name).job_id for name in names}


def names(response) -> list[str]:
    return [row.job_name for row in response.jobs]


def test_pages_follow_each_other_in_one_order(session, jobs):
    pages = [Estimator.get_job_list(session, per_page=2, page=page, order="asc") for page in (1, 2, 3, 4)]

    assert [names(page) for page in pages] == [["alpha", "alphabet"], ["bravo", "delta"], ["echo"], []]
    assert {page.job_total_count for page in pages} == {5}


SORTED = [
    ({"order": "desc"}, ["echo", "delta", "bravo", "alphabet", "alpha"]),
    ({"sort_by": "create_time", "order": "asc"}, ["delta", "alpha", "echo", "bravo", "alphabet"]),
    ({"sortBy": "create_time", "order": "desc"}, ["alphabet", "bravo", "echo", "alpha", "delta"]),
    ({"search_content": "alpha", "order": "asc"}, ["alpha", "alphabet"]),
    ({"search_content": "nothing"}, []),
    ({"status": 8}, []),
    ({"status": "UNKNOWN", "order": "asc"}, ["alpha", "alphabet", "bravo", "delta", "echo"]),
]


def test_jobs_are_sorted_searched_and_filtered(session, jobs):
    for arguments, expected in SORTED:
        assert names(Estimator.get_job_list(session, **arguments)) == expected, arguments


def test_statuses_filter_by_number_by_several_and_by_name(session, tmp_path):
    put_code(session, tmp_path, "import sys; sys.exit(0 if '--good=1' in sys.argv else 1)")
    estimator(session, hyperparameters={"good": 1}).fit(inputs="/bucket/data/", job_name="good", wait=True)
    estimator(session).fit(inputs="/bucket/data/", job_name="bad", wait=True)

    for status, expected in [
        (10, ["good"]), ("10", ["good"]), ("COMPLETED", ["good"]), ("JOBSTAT_FAILED", ["bad"]),
        ("10|11", ["bad", "good"]), ([10, "FAILED"], ["bad", "good"]), ([3, 5], []),
    ]:  # fmt: skip
        assert sorted(names(Estimator.get_job_list(session, status=status))) == expected


def test_arguments_work_by_position_too(session, jobs):
    listed = Estimator.get_job_list(session, None, 3, 1, "job_name", "asc", "a")

    assert names(listed) == ["alpha", "alphabet", "bravo"]


def test_a_wrong_filter_is_reported_before_anything_is_sent(session):
    for wrong in (
        {"per_page": 0}, {"per_page": 1001}, {"page": 0}, {"order": "up"}, {"sort_by": "colour"},
        {"search_content": "x" * 101}, {"status": 99}, {"status": "LAZY"},
    ):  # fmt: skip
        with pytest.raises(ArgumentError) as caught:
            Estimator.get_job_list(session, **wrong)

        assert [fault.argument for fault in caught.value.faults] == list(wrong)


def test_rows_are_dicts_objects_and_frames(session, jobs):
    import pandas  # not for each process that collects tests

    listed = Estimator.get_job_list(session, sort_by="job_name", order="asc")

    frame = pandas.DataFrame(listed["jobs"])
    assert listed["jobs"][0]["job_id"] == listed["jobs"][0].job_id == listed.jobs[0].get("job_id") == jobs["alpha"]
    assert list(frame.job_name) == sorted(jobs)


def test_an_iterator_goes_through_all_pages(session, jobs):
    found = [row.job_name for row in Estimator.iter_jobs(session, per_page=2)]

    assert found == ["delta", "alpha", "echo", "bravo", "alphabet"]
    assert [row.job_name for row in Estimator.iter_jobs(session, search_content="alpha")] == ["alpha", "alphabet"]


def test_an_iterator_misses_no_row_while_jobs_are_created_and_deleted(session, jobs):
    rows = Estimator.iter_jobs(session, per_page=2)
    seen = [next(rows).job_name, next(rows).job_name]

    Estimator.delete_job_by_id(session, jobs["delta"])
    estimator(session, create_version=False).fit(inputs="/bucket/data/", job_name="zulu")
    seen += [row.job_name for row in rows]

    assert seen == ["delta", "alpha", "echo", "bravo", "alphabet", "zulu"]


def test_configurations_are_listed_as_rows_handles_and_a_table(session, tmp_path, capsys):
    put_code(session, tmp_path, ACCEPT_ANY)
    for name in ("beta", "alpha"):
        estimator(session).create_job_configs(name, config_desc=f"about {name}", inputs="/bucket/data/")

    rows = Estimator.get_job_configs_list(session, sort_by="job_name", order="asc")
    handles = Estimator.get_job_configs_object_list(session, sort_by="create_time", order="asc")

    assert [row.config_name for row in rows.configs] == ["alpha", "beta"]
    assert rows.config_total_count == 2
    assert [handle.config_name for handle in handles] == ["beta", "alpha"]
    assert handles[0].get_job_configs_info().config_desc == "about beta"
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["config_name", "engine_name", "engine_version", "create_time", "config_desc"]
    assert table[2].startswith("beta")
    assert handles[0].delete_job_configs().is_success
    assert [row.config_name for row in Estimator.iter_job_configs(session)] == ["alpha"]
    assert Estimator.get_job_configs_list(session, config_type="sample").configs == []


def test_nothing_is_printed_without_is_show(session, jobs, capsys):
    Estimator.get_job_configs_object_list(session, is_show=False)
    estimator(session, job_id=jobs["alpha"]).get_job_version_object_list(is_show=False)

    assert capsys.readouterr().out == ""


def test_listed_versions_are_handles_that_work(session, tmp_path, capsys):
    put_code(session, tmp_path, ACCEPT_ANY)
    trained = estimator(session)
    first = trained.fit(inputs="/bucket/data/", wait=True)
    trained.create_job_version(first.job_id, first.version_id, inputs="/bucket/data/", wait=True)
    capsys.readouterr()

    listed = Estimator(session, job_id=first.job_id).get_job_version_object_list()

    assert [type(job) for job in listed] == [TrainingJob, TrainingJob]
    assert "V0002         COMPLETED" in capsys.readouterr().out
    assert listed[0].get_job_info().version_name == "V0002"
    assert listed[0].delete_job_version().is_success
    assert [row.version_name for row in trained.get_job_version_info().versions] == ["V0001"]


def test_a_description_is_changed(session, jobs):
    job = TrainingJob(session, jobs["alpha"])

    assert job.update_job_description("what alpha is for").is_success

    assert job.get_job_version_info().job_desc == "what alpha is for"
    with pytest.raises(ArgumentError, match="at most 256 characters"):
        job.update_job_description("x" * 257)


def test_versions_are_paged_over_rest(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    trained = estimator(session)
    job = trained.fit(inputs="/bucket/data/", wait=True)
    for _ in range(2):
        trained.create_job_version(job.job_id, job.version_id, inputs="/bucket/data/")

    path, query = {"job_id": job.job_id}, {"per_page": 2, "page": 2}
    paged = session.client.call("list_training_job_versions", path, query)

    assert [row.version_name for row in paged.versions] == ["V0001"]
    assert paged.version_count == 3
    until(lambda: all(row.status.ended for row in trained.get_job_version_info().versions))
