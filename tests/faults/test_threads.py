"""One session serves many threads, and survives a fork."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from modelarts.errors import ModelArtsError
from modelarts.estimator import Estimator
from modelarts.session import Session
from tests.support.jobs import ACCEPT_ANY, estimator, put_code

THREADS, CALLS = 32, 400


def test_each_of_many_threads_gets_its_own_replies(session, tmp_path):
    put_code(session, tmp_path, ACCEPT_ANY)
    idle = estimator(session)
    names = [f"c{number}" for number in range(20)]
    for name in names:
        idle.create_job_configs(name, config_desc=f"about {name}", inputs="/bucket/data/")

    def read(number: int) -> bool:
        name = names[number % len(names)]
        info = Estimator(session, config_name=name).get_job_configs_info()
        return (info.config_name, info.config_desc) == (name, f"about {name}")

    with ThreadPoolExecutor(THREADS) as pool:
        right = list(pool.map(read, range(CALLS)))

    assert right == [True] * CALLS


def _read_all(session: Session, answers: Any) -> None:
    answers.put([Estimator.get_job_list(session).is_success for _ in range(20)])


def test_a_session_works_on_both_sides_of_a_fork(session):
    assert Estimator.get_job_list(session).is_success  # a connection is open before the fork
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    children = [context.Process(target=_read_all, args=(session, answers)) for _ in range(3)]
    for child in children:
        child.start()

    mine = [Estimator.get_job_list(session).is_success for _ in range(20)]
    theirs = [answers.get(timeout=20) for _ in children]
    for child in children:
        child.join()

    assert [mine, *theirs] == [[True] * 20] * 4


def test_a_forked_process_closes_a_session_without_waiting_for_its_parent(session):
    """A lock that a thread of the parent held at that moment is never given back in the child."""
    assert Estimator.get_job_list(session).is_success
    context = multiprocessing.get_context("fork")
    child = context.Process(target=session.close)
    with session.client.transport._adapter.poolmanager.pools.lock:
        child.start()
    child.join(5)

    assert child.exitcode == 0
    assert Estimator.get_job_list(session).is_success


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_during_many_calls_blocks_no_process(session):
    """Threads of the parent hold connections and locks at that moment; the child has none of the threads."""
    over = threading.Event()
    failures: list[ModelArtsError] = []

    def call_on() -> None:
        while not over.is_set():
            try:
                Estimator.get_job_list(session)
                session.catalog.load(["specs", "engines"], fresh=True)
            except ModelArtsError as error:
                failures.append(error)

    callers = [threading.Thread(target=call_on) for _ in range(8)]
    for caller in callers:
        caller.start()
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    children = [context.Process(target=_read_all, args=(session, answers)) for _ in range(6)]
    for child in children:
        child.start()

    theirs = [answers.get(timeout=20) for _ in children]
    over.set()
    for thread in (*children, *callers):
        thread.join(20)

    assert (theirs, failures) == ([[True] * 20] * 6, [])
