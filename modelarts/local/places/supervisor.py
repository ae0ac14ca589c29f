"""Runs one version and records its end: `python supervisor.py SPEC LOCK_FD`.

Started by file path, with the standard library and three small modules of this package, so that it starts fast. It
outlives the service. The record of the end is renamed into place, so that a reader sees all of it or nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from typing import Any

if __name__ == "__main__":  # started by file path, so nothing else has added the package
    sys.path.append(__file__.rpartition("/modelarts/local/places/")[0])

from modelarts.local import files
from modelarts.local.places.worker_log import Log, copy, explain
from modelarts.local.processes import Process

GRACE = 5.0  # seconds from SIGTERM to SIGKILL for a worker
FIRST_SAMPLE = 0.2  # seconds until the usage of the workers is measured
CODE_MISSING = 127  # the platform's return code for a code directory that cannot be fetched
_RECORD_SIZE = 4096


class StartFailure(Exception):
    """Why the workers cannot be started, and the return code of the version."""

    def __init__(self, reason: str, code: int = 1) -> None:
        super().__init__(reason)
        self.code = code


class Supervisor:
    """One version: creates the folders, starts the workers and waits for their end."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.stopped = threading.Event()
        self.ended = threading.Event()
        self.logs = [Log(worker["log"], worker["log_object"]) for worker in spec["workers"]]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[Process] = []  # the same, by pid and start time
        self.pumps: list[threading.Thread] = []

    def run(self) -> dict[str, Any]:
        """Run the version; returns the record of its end, without the end time."""
        for log, worker in zip(self.logs, self.spec["workers"]):
            log.write(worker["banner"].encode("utf-8", "replace"))
        try:
            self.prepare()
            self.start()
            threading.Thread(target=self.measure, daemon=True).start()
            code, reason = self.follow()
        except StartFailure as failure:
            code, reason = self.fail(str(failure), failure.code)
        except Exception as error:  # noqa: BLE001  any error ends the version with a record of the reason
            traceback.print_exc()
            code, reason = self.fail(f"the workers cannot be run: {error!r}", 1)
        finally:
            self.ended.set()
            self.end_workers(signal.SIGKILL)
        for pump in self.pumps:
            pump.join(GRACE)
        for log in self.logs:
            log.line("Training completed." if code == 0 else f"Training end with return code: {code}")
        outcome = "stopped" if self.stopped.is_set() else "completed" if code == 0 else "failed"
        problems = [log.problem for log in self.logs if log.problem][:1]
        return {"outcome": outcome, "exit_code": code, "reason": "; ".join(filter(None, [reason, *problems]))}

    def fail(self, reason: str, code: int) -> tuple[int, str]:
        for log in self.logs:
            log.line(reason)
        return code, reason

    def prepare(self) -> None:
        spec = self.spec
        if spec["fault"]:
            raise StartFailure(spec["fault"])
        code = spec["code"]
        if code is not None and not os.path.isdir(code["source"]):
            next_step = "session.obs.upload_dir uploads code; a local code_dir is uploaded by itself"
            raise StartFailure(f"the code directory {code['url']} does not exist; {next_step}", CODE_MISSING)
        if spec["input"] is not None and not os.path.exists(spec["input"]["path"]):
            raise StartFailure(f"the input data {spec['input']['url']} do not exist")
        try:
            for path in spec["outputs"]:
                os.makedirs(path, exist_ok=True)
            for worker in spec["workers"]:
                os.makedirs(worker["directory"], exist_ok=True)
                if code is not None:
                    target = os.path.join(worker["directory"], code["name"])
                    shutil.copytree(code["source"], target, dirs_exist_ok=True)
        except (OSError, ValueError) as error:
            raise StartFailure(f"the job's folders cannot be created: {error}") from None
        if code is not None and os.path.exists(os.path.join(code["source"], "pip-requirements.txt")):
            for log in self.logs:
                log.line("pip-requirements.txt is not installed here: packages are those of the interpreter")

    def start(self) -> None:
        for log, worker in zip(self.logs, self.spec["workers"]):
            argv = worker["argv"]
            if len(argv) > 1 and argv[1].endswith(".py") and not os.path.exists(argv[1]):
                raise StartFailure(f"the boot file {os.path.basename(argv[1])} does not exist in the code directory", 2)
            if self.stopped.is_set():
                raise StartFailure("stopped before it started", 128 + signal.SIGTERM)
            try:
                process = subprocess.Popen(
                    argv, cwd=worker["directory"], env=worker["environment"], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
            except (OSError, ValueError) as error:
                why = invalid_variables(worker["environment"]) or explain(error)
                raise StartFailure(f"{argv[0]} cannot be started: {why}", 126) from None
            self.processes.append(process)
            self.workers.append(Process.of(process.pid))
            self.record_workers()
            assert process.stdout is not None
            pump = threading.Thread(target=copy, args=(process.stdout.fileno(), log), daemon=True)
            pump.start()
            self.pumps.append(pump)

    def record_workers(self) -> None:
        """Record the started workers, so that the service can end them if this process is killed."""
        workers = [worker._asdict() for worker in self.workers]
        files.write(self.spec["started"], json.dumps(workers).encode())

    def measure(self) -> None:
        """Sample the usage of the workers. psutil is imported while they run, and not for those that end at once."""
        began = time.monotonic()
        if self.ended.wait(FIRST_SAMPLE):
            return
        sys.path.extend(self.spec["packages"])
        from modelarts.local.places import usage

        measured = usage.Usage([worker.pid for worker in self.workers], began)
        while not self.ended.is_set():
            with contextlib.suppress(OSError):  # a full disk does not end sampling: there may be space later
                files.write(self.spec["usage"], json.dumps(measured.take()).encode())
            self.ended.wait(measured.interval)

    def follow(self) -> tuple[int, str]:
        """Wait for all workers; if one fails, the others are ended. Returns the return code and the reason."""
        ended = threading.Condition()
        codes: dict[int, int] = {}

        def wait_for(index: int, worker: Process) -> None:
            code = exit_code(worker.pid)
            with ended:
                codes[index] = code
                ended.notify()

        for index, worker in enumerate(self.workers):
            threading.Thread(target=wait_for, args=(index, worker), daemon=True).start()
        with ended:
            while len(codes) < len(self.workers) and not any(codes.values()) and not self.stopped.is_set():
                ended.wait(0.1)
            if len(codes) < len(self.workers):
                self.end_workers(signal.SIGTERM)
                ended.wait_for(lambda: len(codes) == len(self.workers), GRACE)
        if self.stopped.is_set():
            return 128 + signal.SIGTERM, "stopped by its user"
        bad = next(((index, code) for index, code in codes.items() if code), None)
        if bad is None:
            return 0, ""
        who = "the script" if len(self.workers) == 1 else f"worker {bad[0]}"
        if bad[1] > 0:
            return bad[1], f"{who} ended with exit code {bad[1]}"
        name = signal_name(-bad[1])
        hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        return 128 - bad[1], f"{who} was killed by {name}{hint}"

    def end_workers(self, number: int) -> None:
        for worker in self.workers:
            worker.signal_group(number)  # including processes that a worker left running


def exit_code(pid: int) -> int:
    """Wait for the end of a child. It remains a zombie, so that no other process gets its pid and process group."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        return f"signal {number}"


def invalid_variables(environment: dict[str, str]) -> str:
    """Names that no environment variable can have, and the rule. They are hyperparameters of a custom image."""
    names = [name for name in environment if "=" in name or "\0" in name]
    rule = "the name of an environment variable contains neither '=' nor a NUL character"
    return f"{', '.join(map(repr, names))}: {rule}" if names else ""


def reserve(path: str) -> None:
    """Allocate the record of the end now, in case the disk is full then."""
    with open(f"{path}.part", "wb") as file:
        file.write(b" " * _RECORD_SIZE)


def store_end(path: str, record: dict[str, Any]) -> None:
    descriptor = os.open(f"{path}.part", os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+b") as file:
        file.write(json.dumps(record).encode())
        file.flush()
        file.truncate()
        os.fsync(file.fileno())
    os.replace(f"{path}.part", path)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it was ignored, the kernel keeps no exit codes of workers
    process = Process.of(os.getpid())
    files.write(spec["supervisor"], json.dumps(process._asdict()).encode())
    os.write(int(sys.argv[2]), str(process.pid).encode())
    try:
        reserve(spec["exit"])
    except OSError as error:
        spec["fault"] = f"the job's folder cannot be written: {explain(error)}"
    supervisor = Supervisor(spec)
    signal.signal(signal.SIGTERM, lambda *_: supervisor.stopped.set())
    record = supervisor.run()
    record["end_time"] = time.time_ns() // 1_000_000
    store_end(spec["exit"], record)


if __name__ == "__main__":
    main()
