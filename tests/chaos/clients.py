"""Clients that submit, look, stop and delete at random, while what they talk to is killed."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from modelarts._wire.v1.status import JobStatus
from modelarts.errors import ApiError, ConnectionFailed, JobError, JobTimeout, ServiceError, Unavailable
from modelarts.job import TrainingJob
from modelarts.session import Session
from tests.chaos.plans import Plan, Tried
from tests.support.jobs import estimator, until
from tests.support.processes import running

ACTIONS = {"submit": 6, "add_version": 2, "stop": 2, "delete": 1, "delete_version": 1, "look": 3, "wait": 2}
AT_ONCE = 4  # unfinished versions of one client
PATIENCE = 60.0  # seconds in which a version ends


class Client:
    """One client, which uses jobs of its own.

    Args:
        home: of the service.
        evidence: the folder in which workers leave theirs.
        token: in the tags of all versions.
        numbers: of versions, of all clients.
        choice: what it does.
    """

    def __init__(self, home: Path, evidence: Path, token: str, numbers: itertools.count, choice: random.Random) -> None:
        self.tried: list[Tried] = []
        self.violations: list[str] = []
        self.outages: Counter[str] = Counter()
        self._home, self._evidence, self._token, self._numbers, self._choice = home, evidence, token, numbers, choice

    def run(self, ended: threading.Event) -> None:
        """Act until the end."""
        session: Session | None = None
        while not ended.is_set():
            [action] = self._choice.choices([*ACTIONS], [*ACTIONS.values()])
            try:
                session = session or Session.local(self._home)
                getattr(self, f"_{action}")(session)
            except ApiError as error:  # such as a stop of what has ended
                if error.status == 500:
                    self.violations.append(f"{action}: {error}")
            except (ServiceError, ConnectionFailed) as error:  # the service was killed, and so was the next one
                self.outages[type(error).__name__] += 1
            except Exception as error:  # noqa: BLE001  the SDK must raise nothing else
                self.violations.append(f"{action} raised {error!r}")
        if session is not None:
            session.close()

    def _existing(self) -> list[Tried]:
        return [one for one in self.tried if one.version_id and not one.deleting]

    def _new(self, job_name: str = "") -> Tried:
        tag = f"{self._token}-{next(self._numbers)}"
        self.tried.append(Tried(Plan.choose(tag, self._choice), job_name or tag))
        return self.tried[-1]

    def _submit(self, session: Session) -> None:
        if len([one for one in self._existing() if not one.seen]) >= AT_ONCE:
            return self._wait(session)
        tried = self._new()
        try:
            job = self._estimator(session, tried.plan).fit(inputs="/bucket/data/", job_name=tried.job_name)
        except ApiError as error:
            if not isinstance(error, Unavailable):
                self.violations.append(f"{tried.plan.tag} was refused: {error}")
            return None
        tried.job_id, tried.version_id = int(job.job_id), int(job.version_id)
        return None

    def _add_version(self, session: Session) -> None:
        existing = self._existing()
        if not existing:
            return
        old = self._choice.choice(existing)
        tried = self._new(old.job_name)
        job = self._estimator(session, tried.plan).create_job_version(
            old.job_id, old.version_id, inputs="/bucket/data/"
        )
        tried.job_id, tried.version_id = old.job_id, int(job.version_id)

    def _estimator(self, session: Session, plan: Plan):
        hyperparameters = plan.hyperparameters(self._evidence)
        return estimator(
            session,
            train_instance_type="modelarts.vm.cpu.8u",
            train_instance_count=len(plan.codes),
            hyperparameters=hyperparameters,
        )

    def _stop(self, session: Session) -> None:
        if left := [one for one in self._existing() if not one.seen]:
            tried = self._choice.choice(left)
            tried.stopped = True
            handle(session, tried).stop_job_version()

    def _delete(self, session: Session) -> None:
        if existing := self._existing():
            tried = self._choice.choice(existing)
            with _deletion(*(one for one in self.tried if one.job_name == tried.job_name)):
                handle(session, tried).delete_job()

    def _delete_version(self, session: Session) -> None:
        if existing := self._existing():
            tried = self._choice.choice(existing)
            with _deletion(tried):
                handle(session, tried).delete_job_version()

    def _look(self, session: Session) -> None:
        if existing := self._existing():
            tried = self._choice.choice(existing)
            self._ended(tried, handle(session, tried).get_job_info().status)

    def _wait(self, session: Session) -> None:
        left = [one for one in self._existing() if not one.seen]
        if not left:
            return
        tried = self._choice.choice(left)
        try:
            status = handle(session, tried).wait(timeout=PATIENCE, show=False).status
        except JobTimeout:
            self.violations.append(f"{tried.plan.tag} does not end")
            return
        except JobError as error:
            status = error.status
        self._ended(tried, status)

    def _ended(self, tried: Tried, status: JobStatus) -> None:
        """Check what must hold from the moment at which a version has ended."""
        if not status.ended:
            if tried.seen:
                self.violations.append(f"{tried.plan.tag} had ended with {tried.seen}, and has status {status} now")
            return
        if tried.seen not in (0, status):
            self.violations.append(f"{tried.plan.tag} had ended with {tried.seen}, and then with {status}")
        tried.seen = tried.seen or status
        try:
            until(lambda: not running(f"tag={tried.plan.tag} "), seconds=5)
        except AssertionError:
            self.violations.append(f"{tried.plan.tag} has ended with {status}, and its processes run")


@contextlib.contextmanager
def _deletion(*versions: Tried) -> Iterator[None]:
    """Note that versions may be there or not, unless the service says which."""
    for one in versions:
        one.deleting = True
    yield
    for one in versions:
        one.deleted = True


def handle(session: Session, tried: Tried) -> TrainingJob:
    return TrainingJob(session, job_id=tried.job_id, version_id=tried.version_id)
