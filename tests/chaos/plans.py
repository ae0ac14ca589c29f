"""What a job of the chaos test does, and the evidence that its workers leave."""

from __future__ import annotations

import random
import re
from pathlib import Path

import attrs

# Each worker says in a file that it starts and how it ends; its children leave its session, and would sleep for long.
SCRIPT = """
import os, signal, sys, time

given = dict(argument[2:].split("=", 1) for argument in sys.argv[1:] if "=" in argument)
rank = int(os.environ["DLS_TASK_INDEX"])
code, lines = int(given["codes"].split("-")[rank]), int(given["lines"])
name = given["tag"] + "." + str(rank)

def note(text):
    file = os.open(given["evidence"] + "/" + name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, text.encode() + b"\\n")
    os.close(file)

def leave():
    os.setsid()
    if os.fork():
        os._exit(0)
    with open("/proc/self/comm", "w") as file:
        file.write("chaos-child")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(900)
    os._exit(1)

note("start")
for number in range(int(given["children"])):
    if not os.fork():
        leave()
for number in range(lines):
    print("line", number, "of", name)
    time.sleep(float(given["seconds"]) / lines)
note("end " + str(code))
sys.exit(code)
"""
LINE = re.compile(r"^line (\d+) of (\S+)$", re.MULTILINE)
LAST_LINE = re.compile(r"Training (?:completed\.|end with return code: (\d+))\n\Z")


@attrs.frozen
class Plan:
    """What the workers of one version do."""

    tag: str
    codes: tuple[int, ...]  # of each worker
    children: int
    lines: int
    seconds: float

    @classmethod
    def choose(cls, tag: str, choice: random.Random) -> Plan:
        workers = choice.choice((1, 1, 1, 2, 3))
        codes = [0] * workers
        if choice.random() < 0.25:
            codes[choice.randrange(workers)] = choice.randint(1, 120)
        seconds = round(choice.uniform(0.05, 1.5), 2)
        return cls(tag, tuple(codes), choice.choice((0, 1, 1, 2)), choice.randint(1, 40), seconds)

    def hyperparameters(self, evidence: Path) -> list[dict[str, str]]:
        """The arguments of the script."""
        codes = "-".join(map(str, self.codes))
        values = {**attrs.asdict(self), "codes": codes, "evidence": evidence}
        return [{"label": name, "value": str(value)} for name, value in values.items()]


@attrs.define
class Tried:
    """A version that a client tried to create, and what was done to it."""

    plan: Plan
    job_name: str
    job_id: int = 0  # 0: no reply came
    version_id: int = 0
    stopped: bool = False  # somebody tried to
    deleting: bool = False  # somebody tried to
    deleted: bool = False  # the service said so
    killed: set[str] = attrs.field(factory=set)  # kinds of its processes
    seen: int = 0  # the first status after its end
