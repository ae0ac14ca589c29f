"""What must hold of all versions when the chaos has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Callable

from modelarts._wire.v1.status import COMPLETED, KILLED, RUN_FAILED, RUN_LOST, JobStatus
from modelarts.estimator import Estimator
from modelarts.local.paths import LocalHome
from modelarts.session import Session
from tests.chaos.clients import handle
from tests.chaos.kills import FIRST, SUPERVISOR, WORKER
from tests.chaos.plans import LAST_LINE, LINE, Tried
from tests.support.jobs import logs, until

PATIENCE = 60.0  # seconds in which all versions end


def violations(session: Session, home: Path, evidence: Path, tried: Iterable[Tried]) -> Iterator[str]:
    """Wait until all versions have ended, and check each."""
    by_tag = {one.plan.tag: one for one in tried}
    deleted = {tag for tag, one in by_tag.items() if one.deleted}
    _in_time(lambda: not deleted & _listed(session).keys())
    found = _listed(session)
    yield from (f"{tag} is there {len(ids)} times" for tag, ids in found.items() if len(ids) > 1)
    yield from (f"{tag} was deleted, and is there" for tag in found.keys() & deleted)
    yield from (f"nobody has created {tag}" for tag in found.keys() - by_tag.keys())
    for tag, one in by_tag.items():
        yield from _runs_once(one, evidence)
        if tag in found and not one.deleting:
            one.job_id, one.version_id = found[tag][0]
            yield from _existing(session, one, evidence)
        elif one.version_id and not one.deleting:
            yield f"{tag} is lost"
    if not _in_time(lambda: not _left_folders(session, home)):
        yield from (f"the folder of version {name} is left" for name in _left_folders(session, home))


def _in_time(condition: Callable[[], object]) -> bool:
    try:
        return bool(until(condition, PATIENCE))
    except AssertionError:
        return False


def _left_folders(session: Session, home: Path) -> set[str]:
    kept = {str(version) for ids in _listed(session).values() for _, version in ids}
    return {entry.name for entry in LocalHome.of(home).jobs.glob("*")} - kept  # no folder if nothing has run


def _listed(session: Session) -> dict[str, list[tuple[int, int]]]:
    """Job and version ids by tag, as the service lists them."""
    found: dict[str, list[tuple[int, int]]] = {}
    for job in Estimator.iter_jobs(session):
        for version in session.client.call("list_training_job_versions", {"job_id": job.job_id})["versions"]:
            [tag] = [each["value"] for each in version["parameter"] if each["label"] == "tag"]
            found.setdefault(tag, []).append((int(job.job_id), int(version["version_id"])))
    return found


def _existing(session: Session, one: Tried, evidence: Path) -> Iterator[str]:
    job, tag = handle(session, one), one.plan.tag
    if not _in_time(lambda: JobStatus(job.get_job_info().status).ended):
        yield f"{tag} is stuck in status {job.get_job_info().status}"
        return
    info = job.get_job_info()
    if one.seen and one.seen != info.status:
        yield f"{tag} had ended with {one.seen}, and then with {info.status}"
    if not _may_end_with(one, info.status):
        yield f"{tag} has status {info.status} ({info.get('error_result')}) after {one}"
    for worker, log in enumerate(logs(job)):
        yield from (f"{tag}.{worker} {problem}" for problem in _log(one, worker, log, info.status, evidence))


def _may_end_with(one: Tried, status: int) -> bool:
    fails = any(one.plan.codes) or one.killed & {WORKER, FIRST}
    lost = SUPERVISOR in one.killed
    causes = {COMPLETED: not any(one.plan.codes), RUN_FAILED: fails, KILLED: one.stopped, RUN_LOST: lost}
    return bool(causes.get(status))


def _log(one: Tried, worker: int, log: str, status: int, evidence: Path) -> Iterator[str]:
    """What is wrong with the log of a worker."""
    name, code = f"{one.plan.tag}.{worker}", one.plan.codes[worker]
    lines = LINE.findall(log)
    if lines != [(str(number), name) for number in range(len(lines))]:
        yield f"has lines that are missing, foreign or there twice:\n{log}"
    ended = _notes(evidence / name)[1:] == [f"end {code}"]
    copied = status in (COMPLETED, RUN_FAILED) or (status == KILLED and SUPERVISOR not in one.killed)
    if copied and ended and len(lines) != one.plan.lines:
        yield f"ended by itself, and its log has {len(lines)} of {one.plan.lines} lines:\n{log}"
    last = LAST_LINE.search(log)
    if not log and status == KILLED:
        return  # stopped in the queue
    if last is None:
        yield f"has a log without its end:\n{log}"
    elif status == COMPLETED and not (ended and last[1] is None):
        yield f"did not end well, and the version is COMPLETED:\n{log}"
    elif status == RUN_FAILED and not one.killed & {WORKER, FIRST} and ended and code and last[1] != str(code):
        yield f"ended with exit code {code}, and its log says {last[1]}:\n{log}"


def _runs_once(one: Tried, evidence: Path) -> Iterator[str]:
    for worker in range(len(one.plan.codes)):
        name = f"{one.plan.tag}.{worker}"
        if _notes(evidence / name).count("start") > 1:
            yield f"{name} ran twice"


def _notes(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
