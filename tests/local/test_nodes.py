"""Jobs on several nodes: what their scripts are told, how they find each other, and how they end."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from modelarts.errors import JobFailed
from modelarts.local import ports
from modelarts.local.runtime import devices
from modelarts.session import Session
from tests.support.jobs import estimator, logs, put_code, shared, until
from tests.support.processes import end_service, running

TENSORFLOW = {"framework_type": "TensorFlow", "framework_version": "TF-1.8.0-python3.6"}
ASCEND = {
    "framework_type": "Ascend-Powered-Engine",
    "framework_version": "mindspore_1.3.0-cann_5.0.2-py_3.7-euler_2.8.3-aarch64",
}
CARDS, GPUS = 2, ["GPU-5a", "GPU-5b", "GPU-5c", "GPU-5d", "GPU-5e"]

# A ring of plain sockets: each rank gets the sum of all ranks from the first one.
RENDEZVOUS = """
import argparse, os, selectors, signal, socket, sys, time
rank, size = int(os.environ["DLS_TASK_INDEX"]), int(os.environ["DLS_TASK_NUMBER"])
host, _, port = os.environ["BATCH_CUSTOM0_HOSTS"].partition(":")

def connected():
    while True:
        try:
            return socket.create_connection((host, int(port)), timeout=60)
        except OSError:
            time.sleep(0.02)

def serve():
    server = socket.socket()
    server.bind((host, int(port)))
    server.listen()
    return [server.accept()[0] for _ in range(size - 1)]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("state")
    yield place
    end_service(place)


@pytest.fixture(scope="module")
def session(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", ", ".join(GPUS))
        patch.setenv("MODELARTS_LOCAL_CARDS", str(CARDS))
        patch.setenv("MODELARTS_LOCAL_CAPACITY", "4")
        patch.setenv("MODELARTS_LOCAL_GRACE", "2")
        opened = Session.local(home)
    opened.obs.create_bucket("bucket")
    yield opened
    opened.close()


def started(session, tmp_path, script, nodes, **changes):
    put_code(session, tmp_path, script)
    changes = {"train_instance_type": "local", **changes}
    return estimator(session, train_instance_count=nodes, **changes).fit(inputs="/bucket/data/")


def reported(job, label="REPORT "):
    """What the programs of each node print as JSON after a word."""
    return [[json.loads(line.partition(label)[2]) for line in log.splitlines() if label in line] for log in logs(job)]


def test_nodes_find_each_other_by_the_environment_or_by_arguments(session, tmp_path):
    script = RENDEZVOUS + """
parser = argparse.ArgumentParser()
for name in ("--data_url", "--train_url", "--init_method"):
    parser.add_argument(name)
for name in ("--rank", "--world_size"):
    parser.add_argument(name, type=int)
args = parser.parse_args()
assert (args.init_method, args.rank, args.world_size) == (f"tcp://{host}:{port}", rank, size)
assert os.environ["BATCH_WORKER_HOSTS"].split(",")[rank] == os.environ["BATCH_CURRENT_HOST"]
assert os.environ[f"BATCH_CUSTOM{rank}_HOSTS"] == os.environ["BATCH_CURRENT_HOST"]
if rank == 0:
    peers = serve()
    total = sum(int(peer.recv(9)) for peer in peers)
    for peer in peers:
        peer.sendall(b"%d" % total)
else:
    peer = connected()
    peer.sendall(b"%d" % rank)
    total = int(peer.recv(9))
print("TOTAL", total, "GPUS", os.environ["CUDA_VISIBLE_DEVICES"])
"""
    job = started(session, tmp_path, script, 3)

    assert job.wait(timeout=60, show=False).status == 10
    assert job.get_job_log_file_list().log_file_list == [f"job-{job.job_name}.{node}" for node in range(3)]
    found = [re.findall("^TOTAL (.*) GPUS (.*)$", log, re.MULTILINE) for log in logs(job)]
    assert found == [[("3", GPUS[node])] for node in range(3)]  # five are not divided by three


def test_the_failure_of_a_worker_is_the_reason_although_its_peers_end_before(session, tmp_path):
    script = RENDEZVOUS + """
if rank == 0:
    peers = serve()
    ready = selectors.DefaultSelector()
    for peer in peers:
        ready.register(peer, selectors.EVENT_READ)
    ready.select()
    raise ConnectionResetError("Connection reset by peer")
peer = connected()
if rank == 2:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
try:
    raise ValueError("no class 7 in this part of the data")
finally:
    peer.close()
    time.sleep(0.3)
"""
    job = started(session, tmp_path, script, 3)
    until(lambda: any("ConnectionResetError" in log for log in logs(job)))

    with pytest.raises(JobFailed, match="worker 1 ended with exit code 1: ValueError: no class 7 in this part"):
        job.wait(timeout=60, show=False)

    assert job.get_job_info().duration < 15_000  # milliseconds: a start, a second, two until SIGKILL
    because = "ended because worker 1 failed with return code 1: ValueError: no class 7 in this part"
    assert [because in log for log in logs(job)] == [True, False, True]
    assert [log.splitlines()[-1].rpartition(": ")[2] for log in logs(job)] == ["1", "1", "137"]


def test_a_worker_that_failed_and_hangs_is_the_reason(session, tmp_path):
    script = RENDEZVOUS + """
import threading
if rank == 0:
    (peer,) = serve()
    peer.recv(1)
    raise ConnectionResetError("Connection reset by peer")
with connected():
    threading.Thread(target=time.sleep, args=(600,)).start()  # Python waits for it
    raise ValueError("no class 7")
"""
    job = started(session, tmp_path, script, 2)

    with pytest.raises(JobFailed, match="worker 1 did not end after it had failed: ValueError: no class 7"):
        job.wait(timeout=60, show=False)

    assert all("ended because worker 1 did not end" in log for log in logs(job))


@pytest.mark.parametrize("failing", [0, 1])
def test_a_worker_that_fails_before_they_have_found_each_other_ends_the_others(session, tmp_path, failing):
    script = RENDEZVOUS + f"""
if rank == {failing}:
    sys.exit(3)
connected() if rank else serve()
"""
    job = started(session, tmp_path, script, 2)

    with pytest.raises(JobFailed, match=f"worker {failing} ended with exit code 3"):
        job.wait(timeout=60, show=False)

    assert f"ended because worker {failing} failed with return code 3" in logs(job)[1 - failing]


def test_a_port_that_another_program_takes_is_replaced(session, home, tmp_path):
    gate, chosen = shared(home) / "gate", shared(home) / "port"
    script = RENDEZVOUS + f"""
open("{chosen}", "w").write(port)
while not os.path.exists("{gate}"):
    time.sleep(0.01)
serve() if rank == 0 else connected()
print("REPORT", port)
"""
    job = started(session, tmp_path, script, 2)
    port = int(until(lambda: chosen.exists() and chosen.read_text()))

    with socket.create_server(("127.0.0.1", port)):
        gate.touch()
        assert job.wait(timeout=60, show=False).status == 10

    others = {node[-1] for node in reported(job)}
    assert len(others) == 1 and port not in others
    note = f"another program has taken port {port} of this job, which starts again with other ports"
    assert all(note in log for log in logs(job))


def test_a_stop_reaches_every_node(session, tmp_path):
    script = RENDEZVOUS + """
print("up", flush=True)
connected() if rank else serve()
time.sleep(600)  # of tests/local/test_nodes.py
"""
    job = started(session, tmp_path, script, 2)
    until(lambda: all("up" in log.splitlines() for log in logs(job)))

    job.stop_job_version()

    assert until(lambda: job.get_job_info().status == 12)
    assert all("stopped by its user" in log for log in logs(job))
    assert running(f"job-{job.job_name}") == []


def test_the_first_node_of_tensorflow_is_also_a_parameter_server_which_serves_until_all_workers_end(
    session, home, tmp_path
):
    script = f"""
import argparse, json, os, socket, sys, time
parser = argparse.ArgumentParser()
for name in ("data_url", "train_url", "num_gpus", "job_name", "task_index", "ps_hosts", "worker_hosts"):
    parser.add_argument("--" + name)
args = parser.parse_args()
print("REPORT", json.dumps(vars(args)))
servers, ended = args.ps_hosts.split(","), "{shared(home)}/worker-0-ended"
host, _, port = servers[0].partition(":")
if args.job_name == "ps":
    server = socket.create_server((host, int(port)))
    while True:
        server.accept()[0].sendall(b"weights")
if args.task_index == "0":
    open(ended, "w").close()
    sys.exit()
while not os.path.exists(ended):
    time.sleep(0.02)
time.sleep(0.3)
print("weights", socket.create_connection((host, int(port))).recv(7))
"""
    job = started(session, tmp_path, script, 2, **TENSORFLOW)

    assert job.wait(timeout=60, show=False).status == 10

    first, second = (list(filter(None, node)) for node in reported(job))
    assert [(each["job_name"], each["task_index"]) for each in second] == [("worker", "1")]
    assert sorted((each["job_name"], each["task_index"]) for each in first) == [("ps", "0"), ("worker", "0")]
    hosts = {(each["ps_hosts"], each["worker_hosts"]) for each in first + second}
    ((servers, workers),) = hosts
    assert (len(servers.split(",")), len(workers.split(","))) == (1, 2)
    assert not {*servers.split(",")} & {*workers.split(",")}
    assert "[ps] REPORT" in logs(job)[0] and "weights b'weights'" in logs(job)[1]


def test_a_parameter_server_that_fails_is_the_reason(session, tmp_path):
    script = """
import sys, time
if "--job_name=ps" in sys.argv:
    raise ValueError("no memory for the weights")
time.sleep(600)
"""
    job = started(session, tmp_path, script, 2, **TENSORFLOW)

    with pytest.raises(JobFailed, match=r"worker 0 \(ps\) ended with exit code 1: ValueError: no memory for"):
        job.wait(timeout=60, show=False)


def test_ascend_engines_run_once_for_each_card_with_a_rank_table_for_these_nodes(session, tmp_path):
    script = """
import json, os
table = json.load(open(os.environ["RANK_TABLE_FILE"]))
names = ("RANK_ID", "RANK_SIZE", "DEVICE_ID", "JOB_ID", "MS_ROLE", "MS_WORKER_NUM", "MS_NODE_ID")
print("REPORT", json.dumps([[os.environ[name] for name in names], table]))
"""
    job = started(session, tmp_path, script, 2, **ASCEND)

    assert job.wait(timeout=60, show=False).status == 10

    found = reported(job)
    assert [sorted(variables for variables, _ in node) for node in found] == [
        [[str(node * CARDS + card), "4", str(card), str(job.job_id), "MS_WORKER", "4", str(node * CARDS + card)]
         for card in range(CARDS)] for node in range(2)
    ]  # fmt: skip
    table = found[0][0][1]
    (group,) = table["group_list"]
    assert (table["status"], table["group_count"], group["device_count"], group["instance_count"]) == (
        "completed", "1", "4", "2"
    )  # fmt: skip
    servers = [node["server_id"] for node in group["instance_list"]]
    devices = [device for node in group["instance_list"] for device in node["devices"]]
    assert len({*servers}) == 2
    assert [device["device_id"] for device in devices] == ["0", "1"] * 2
    assert len({device["device_ip"] for device in devices}) == 4


@pytest.mark.parametrize(("visible", "gpus", "nodes", "expected"), [
    (None, 4, 2, ["0,1", "2,3"]), (None, 3, 2, ["0", "1"]), (None, 4, 1, [None]), (None, 1, 2, [None] * 2),
    ("3, GPU-7", 8, 2, ["3", "GPU-7"]), ("5", 8, 2, [None] * 2), ("", 8, 2, [None] * 2),
])  # fmt: skip
def test_nodes_of_a_job_share_gpus_if_there_are_enough(visible, gpus, nodes, expected):
    environment = {} if visible is None else {devices.VISIBLE: visible}

    shares = [devices.variables(environment, ["H100"] * gpus, node, nodes) for node in range(nodes)]

    assert [share.get(devices.VISIBLE) for share in shares] == expected


def test_ports_of_jobs_are_none_that_connections_get():
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())

    found = ports.reserve(3) + ports.reserve(3)

    for each in found:
        each.holder.close()
    assert len({each.port for each in found}) == 6
    assert not any(low <= each.port <= high for each in found)
    assert not any(ports.is_open(each.port) for each in found)
