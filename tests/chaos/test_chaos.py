"""Whatever is killed, no job is lost, stuck or run twice, and what the service says of it is true.

`make chaos SECONDS=900` runs it for long, `SEED` repeats the choices of a run.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modelarts.local import daemon
from modelarts.session import Session
from tests.chaos import checks
from tests.chaos.clients import Client
from tests.chaos.kills import Killer
from tests.chaos.plans import SCRIPT
from tests.support import rights
from tests.support.jobs import put_code, shared, until
from tests.support.processes import is_below, processes, running

SECONDS = float(os.environ.get("CHAOS_SECONDS") or 1.5)
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
CLIENTS = 4
RATE = 6.0  # kills in a second
# The value of `local_isolation`, and which rights the service lacks: in a container, jobs have no PID namespace.
CASES = {"isolated": ("auto", "nothing"), "container": ("auto", "a private /proc"), "plain": ("off", "nothing")}
TRIED = [*CASES] if SECONDS > 5 else ["isolated", "plain"]


@pytest.mark.parametrize("case", TRIED)
def test_chaos(case, home, tmp_path, monkeypatch, capsys):
    isolation, given_up = CASES[case]
    monkeypatch.setenv(rights.GIVEN_UP, given_up)
    settings = {"ISOLATION": isolation, "CAPACITY": "6", "GRACE": "1", "KEEP": "none"}
    for name, value in settings.items():
        monkeypatch.setenv(f"MODELARTS_LOCAL_{name}", value)
    token = f"chaos-{os.getpid()}-{case}"
    evidence = shared(home) / "bucket" / "evidence"
    with Session.local(home) as session:
        session.obs.create_bucket("bucket")
        put_code(session, tmp_path, SCRIPT)
    evidence.mkdir()
    numbers, ended = itertools.count(1), threading.Event()
    clients = [Client(home, evidence, token, numbers, random.Random(f"{SEED} {index}")) for index in range(CLIENTS)]
    killer = Killer(home, token, random.Random(SEED), RATE)

    with ThreadPoolExecutor() as threads:
        running_now = [threads.submit(each.run, ended) for each in (killer, *clients)]
        try:
            ended.wait(SECONDS / len(TRIED))  # the cases share the time
        finally:
            ended.set()
        for each in running_now:
            each.result()
    tried = [one for client in clients for one in client.tried]
    killer.attribute(tried)
    found = [*itertools.chain(*(client.violations for client in clients))]
    with Session.local(home) as session:
        found += checks.violations(session, home, evidence, tried)
    if left := running(f"tag={token}"):
        found.append(f"processes run at the end: {left}")
    daemon.stop(home)
    with contextlib.suppress(AssertionError):
        until(lambda: not _processes_below(home), seconds=5)
    found += [f"process {name} is left" for name in _processes_below(home)]

    outages = sum((client.outages for client in clients), Counter())
    summary = (
        f"chaos, {case}, seed {SEED}: {len(tried)} versions, {sum(killer.kills.values())} kills "
        f"{dict(killer.kills)}, outages seen by clients {dict(outages)}, {len(found)} violations"
    )
    with capsys.disabled():
        print(f"\n{summary}")
    assert not found, "\n".join([summary, *found])


def _processes_below(home: Path) -> list[str]:
    return [process.name for process in processes() if is_below(process, home)]
