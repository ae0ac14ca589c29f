"""How long after a script printed a line it is on the screen of whoever waits."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator

from benchmarks.support import DATA, estimator, local_session
from benchmarks.table import Row

SILENCES = (*[0.1] * 20, 0.7, 1.3, 2.2, 3.1, 4.9, 5.1, 7.3, 10.2)  # seconds before each line
SCRIPT = f"""
import time
for silence in {SILENCES}:
    time.sleep(silence)
    print("printed", time.time())
"""


class Screen(io.StringIO):
    """Notes when each text arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[tuple[float, str]] = []

    def write(self, text: str) -> int:
        self.arrived.append((time.time(), text))
        return super().write(text)

    def delays(self) -> list[float]:
        """Milliseconds from print to arrival of every line that the script printed."""
        lines = ((arrival, line.split()) for arrival, text in self.arrived for line in text.splitlines())
        return [(arrival - float(words[1])) * 1e3 for arrival, words in lines if words[:1] == ["printed"]]


def measure() -> Iterator[Row]:
    with local_session() as session:
        training = estimator(session, SCRIPT)
        with contextlib.redirect_stdout(Screen()) as screen:
            training.fit(DATA, wait=True, job_name="log")
    delays = screen.delays()
    if len(delays) != len(SILENCES):
        raise RuntimeError(f"{len(SILENCES)} lines were printed, {len(delays)} arrived")
    yield Row(
        name="print to screen", unit="ms", samples=delays, aim=500,
        note=f"{len(SILENCES)} lines after silences of {min(SILENCES)} to {max(SILENCES)} s",
    )  # fmt: skip
    yield Row(name="print to screen, worst line", unit="ms", samples=[max(delays)], aim=500)
