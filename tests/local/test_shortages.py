"""A full disk, no free inodes, no free file descriptors: each is named, and all goes on when there is room again."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent

import pytest

from modelarts._wire.v1.status import INIT
from tests.support.environment import BODY, in_process

# Runs in a mount namespace, with a small disk at the folder that is its argument.
ON_A_SMALL_DISK = """
    import os, sys
    from pathlib import Path
    import requests
    from modelarts.errors import ServiceError
    from modelarts.local import daemon
    from modelarts.session import Session
    from tests.support.environment import BODY
    from tests.support.jobs import until

    disk = Path(sys.argv[1])
    home, filler, small = disk / "state", disk / "filler", disk / "small"

    def fill():
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def use_inodes():
        small.mkdir()
        try:
            for number in range(100_000):
                (small / str(number)).touch()
        except OSError:
            pass

    def free():
        filler.unlink(missing_ok=True)
        for path in small.iterdir():
            path.unlink()
        small.rmdir()

    def start():
        try:
            return daemon.ensure(home)
        except ServiceError as error:
            print(error)

    def create(address, path, name, body):
        url = f"{address.url}/v1/local/{path}"
        return requests.post(url, json={name: f"n{os.urandom(4).hex()}", **body}, timeout=20,
                             headers={"X-Auth-Token": address.token})

    home.mkdir()
    fill()
    start()
    filler.unlink()
    address = start()
    try:
        small.mkdir()
        fill()
        for path, name, body in (
            ("training-job-configs", "config_name", BODY), ("training-jobs", "job_name", {"config": BODY}),
        ):
            reply = create(address, path, name, {**body, "description": "x" * 200})
            print(reply.status_code, reply.json()["error_message"])
        free()
        print(create(address, "training-job-configs", "config_name", BODY).status_code)
        use_inodes()
        with Session.local(home, strict=False) as session:
            job = create(address, "training-jobs", "job_name", {"config": BODY}).json()
            path = {"job_id": job["job_id"], "version_id": job["version_id"]}
            reply = until(lambda: (i := session.client.call("get_training_job_version", path)).status > 9 and i)
            print(int(reply.status), reply.error_result)
        free()
    finally:
        daemon.stop(home)
"""


def test_a_full_disk_is_named_and_all_goes_on_when_there_is_room(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = 'mount -t tmpfs -o size=3m,nr_inodes=300 none "$1" && exec "$2" -c "$3" "$1"'
    own = ["-m"] if os.geteuid() == 0 else ["-Urm"]
    command = ["unshare", *own, "sh", "-c", mount, "sh", str(disk), sys.executable, dedent(ON_A_SMALL_DISK)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)

    if "unshare" in ran.stderr.partition("\n")[0] or "mount:" in ran.stderr:
        pytest.skip(f"this machine allows no mounts: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert "No space left on device" in lines[0] or "the disk of the local service is full" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["507", "507", "200", "11"]
    for line in lines[1:3]:
        assert "the disk of the local service is full: remove files from the disk of" in line
    assert "this version cannot be started: the disk of the local service has no free inodes" in lines[4]


@contextmanager
def no_free_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 20, limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)


def test_without_free_file_descriptors_nothing_is_lost(tmp_path):
    with in_process(tmp_path / "state") as env:
        version = env.version(INIT)
        env.store.close()  # the next call opens it
        with no_free_descriptors():
            reply = env.call("create_training_job", body={"job_name": "new", "config": BODY})
            assert env.call("list_training_jobs").status == 503  # which the SDK repeats

        assert reply.status == 507
        assert "the local service has no free file descriptors: close sessions" in reply.members["error_message"]
        assert env.call("create_training_job", body={"job_name": "new", "config": BODY}).status == 200
        assert env.store.jobs.version(version.job_id, version.id).status == INIT
