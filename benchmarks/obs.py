"""Buckets in the cloud: a folder of small files and one large file, against what `esdk-obs-python` does by itself.

Both talk to the same S3 server, which runs in a process of its own. `BENCHMARK_OBS_FILES` and `BENCHMARK_OBS_MB` make
less or more of it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable

from benchmarks.measure import alternate
from benchmarks.table import Row
from modelarts._auth.signing import AkSkAuth
from modelarts._obs.cloud.buckets import HuaweiBuckets

FILES = int(os.environ.get("BENCHMARK_OBS_FILES", "2000"))
SIZE = 1000  # bytes of a small file
FOLDER = int(os.environ.get("BENCHMARK_OBS_MB", "1000"))  # MB of the large folder
LARGE = FOLDER // 4  # MB of the single file
ROUNDS = 2
DELAY = 0.01  # seconds of a round trip to the far server, as to the next data centre
SERVER = Path(__file__).parents[1] / "tests" / "support" / "moto_process.py"
MEGA = 1_000_000
BUSY = "the server, one process, needs 2 ms for each file, whoever sends it: little can be gained without a distance"
AWAY = "the same server, through a proxy that delays everything as a distance does"


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as scratch, _s3_server() as near:
        home = Path(scratch)
        small = home / f"{FILES} files"
        _fill(small, FILES, SIZE)
        yield _folder(home, near, small, "here", "files", note=BUSY)
        with _started("-m", "benchmarks.obs", str(near)) as far:
            yield _folder(home, far, small, f"{DELAY * 1e3:.0f} ms away", "files", aim=2, rounds=1, note=AWAY)
        heavy = home / f"{FOLDER} MB"
        _fill(heavy, FOLDER // 10, 10 * MEGA)
        yield _folder(home, near, heavy, "in files of 10 MB, here", "MB", aim=1.1)
        large = home / "large.bin"
        with large.open("wb") as file:
            for _ in range(LARGE):
                file.write(os.urandom(MEGA))
        yield from _large(home, near, large)


def _fill(folder: Path, count: int, size: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.bin").write_bytes(os.urandom(size))


def _folder(
    home: Path, port: int, folder: Path, where: str, unit: str, aim: float | None = None, rounds: int = ROUNDS,
    note: str = "",
) -> Row:  # fmt: skip
    files = list(folder.iterdir())
    amount = len(files) if unit == "files" else sum(file.stat().st_size for file in files) / MEGA
    obs, client = _both(home, port)

    def ours() -> float:
        return amount / _seconds(lambda: obs.upload_dir(folder, "obs://bucket/"))

    def theirs() -> float:
        results: list[Any] = []
        taken = _seconds(lambda: results.extend(client.putFile("bucket", "theirs", str(folder))))
        _require(len(results) == len(files) and all(result.status == 200 for _, result in results))
        return amount / taken

    samples, base = alternate(rounds, ours, theirs)
    _require(len(obs.list(f"obs://bucket/{folder.name}/")) == len(files))
    obs.close()
    return Row(
        name=f"upload {folder.name}, {where}", unit=f"{unit}/s", samples=samples, aim=aim, at_least=True,
        yardstick="putFile of the folder", base=base, note=note,
    )  # fmt: skip


def _large(home: Path, port: int, large: Path) -> Iterator[Row]:
    obs, client = _both(home, port)
    there = home / "there.bin"

    def upload() -> float:
        return LARGE / _seconds(lambda: obs.upload_file(large, "obs://bucket/"))

    def download() -> float:
        return LARGE / _seconds(lambda: obs.download_file("obs://bucket/large.bin", there))

    def their_upload(tasks: int) -> float:
        return LARGE / _seconds(lambda: _good(client.uploadFile("bucket", "theirs.bin", str(large), taskNum=tasks)))

    def their_download(tasks: int) -> float:
        return LARGE / _seconds(lambda: _good(client.downloadFile("bucket", "theirs.bin", str(there), taskNum=tasks)))

    calls = {"upload": (upload, their_upload, "uploadFile"), "download": (download, their_download, "downloadFile")}
    for name, (ours, theirs, yardstick) in calls.items():
        for tasks, aim in ((1, 1), (obs.threads, 0.9)):  # one is what it does unless it is told otherwise
            samples, base = alternate(ROUNDS, ours, partial(theirs, tasks))
            yield Row(
                name=f"{name} {LARGE} MB", unit="MB/s", samples=samples, aim=aim, at_least=True,
                yardstick=f"{yardstick}, {tasks} task{'s' * (tasks > 1)}", base=base,
            )  # fmt: skip
    download()
    _require(there.read_bytes() == large.read_bytes())
    obs.close()


def _both(home: Path, port: int) -> tuple[HuaweiBuckets, Any]:
    obs = HuaweiBuckets(f"http://127.0.0.1:{port}", AkSkAuth("access", "secret"), home / "state")
    obs.create_bucket("bucket")
    return obs, obs.client()


def _seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _good(result: Any) -> None:
    _require(result.status < 300)


def _require(holds: bool) -> None:
    if not holds:
        raise RuntimeError("a transfer did not do what it should")


@contextmanager
def _s3_server() -> Iterator[int]:
    """The port of a server, which ends with the connection that requested it."""
    with _started(str(SERVER)) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        yield int(connection.recv(10))


@contextmanager
def _started(*command: str) -> Iterator[int]:
    """A process that prints its port and serves until its standard input ends."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, *command], text=True, **pipes) as process:  # type: ignore[call-overload]
        yield int(process.stdout.readline())
        process.stdin.close()


# --- a distant server


async def _hold_back(to: int) -> None:
    """Forward connections to a port, and delay all data by half of the round trip in each direction."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                when, data = await late.get()
                await asyncio.sleep(max(0.0, when - loop.time()))
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.close()

        delivery = asyncio.create_task(deliver())
        while data := await reader.read(1 << 16):
            late.put_nowait((loop.time() + DELAY / 2, data))
        late.put_nowait((loop.time() + DELAY / 2, b""))
        await delivery

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(DELAY)  # the handshake
        there, back = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_hold_back(int(sys.argv[1])))
