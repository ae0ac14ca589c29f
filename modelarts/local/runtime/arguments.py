"""Exactly the arguments and environment variables that each engine passes to a script."""

from __future__ import annotations

from typing import Any, Callable

import attrs

from modelarts._obs.paths import ObsPath
from modelarts.local import layout

ASCEND = "Ascend-Powered-Engine"
MINDSPORE = (ASCEND, "MindSpore-GPU")


@attrs.frozen
class BucketAccess:
    """Where a job reaches the buckets over the OBS protocol, and its keys."""

    host: str = ""  # with the port
    access_key: str = ""
    secret_key: str = attrs.field(default="", repr=False)


@attrs.frozen
class Node:
    """One node of a version, or one program of it: the values that become arguments and variables."""

    index: int
    count: int
    gpus: int
    data: ObsPath | None
    output: ObsPath | None
    code: ObsPath | None
    job_id: str
    cards: int = 1  # of each node, each with a process of its own
    card: int = 0
    is_server: bool = False
    buckets: BucketAccess = BucketAccess()

    @property
    def rank(self) -> int:
        """The number of a process among those of all nodes."""
        return self.index * self.cards + self.card

    @property
    def ranks(self) -> int:
        return self.count * self.cards

    @property
    def hosts(self) -> list[str]:
        """Host and port of each node; the supervisor chooses the ports."""
        return [address(index) for index in range(self.count)]


def address(number: int) -> str:
    """Host and port with this number: nodes have the first ones, other programs the next."""
    return f"127.0.0.1:{layout.port(number)}"


def _urls(node: Node) -> list[tuple[str, str]]:
    return [("data_url", node.data.s3 if node.data else ""), ("train_url", node.output.s3 if node.output else "")]


def _pytorch(node: Node) -> list[tuple[str, str]]:
    several = [("rank", str(node.index)), ("world_size", str(node.count))] if node.count > 1 else []
    return [*_urls(node), ("init_method", f"tcp://{node.hosts[0]}"), *several]


def _gpus(node: Node) -> list[tuple[str, str]]:
    return [*_urls(node), ("num_gpus", str(node.gpus))]


def _tensorflow(node: Node) -> list[tuple[str, str]]:
    if node.count == 1:
        return _gpus(node)
    return [
        *_gpus(node), ("job_name", "ps" if node.is_server else "worker"), ("task_index", str(node.index)),
        ("ps_hosts", _server(node)), ("worker_hosts", ",".join(node.hosts)),
    ]  # fmt: skip


def _server(node: Node) -> str:
    """The address of what runs beside the worker of the first node."""
    return address(node.count)


_BY_ENGINE: dict[str, Callable[[Node], list[tuple[str, str]]]] = {
    "PyTorch": _pytorch,
    "TensorFlow": _tensorflow,
    "MXNet": _gpus,
    "Caffe": _gpus,
}


def engine_arguments(engine_name: str, node: Node) -> list[tuple[str, str]]:
    """The arguments of an engine as (name, value); an engine without a row in the table passes the two URLs."""
    return _BY_ENGINE.get(engine_name, _urls)(node)


def needs_scheduler(engine_name: str, node: Node) -> bool:
    """Whether ranks find each other by a scheduler of MindSpore."""
    return engine_name in MINDSPORE and node.ranks > 1


def others_of(engine_name: str, node: Node) -> list[Node]:
    """Whose script runs in a node, too: a parameter server of TensorFlow, the further cards of Ascend engines."""
    if engine_name == ASCEND:
        return [attrs.evolve(node, card=card) for card in range(1, node.cards)]
    has_server = engine_name == "TensorFlow" and node.count > 1 and node.index == 0
    return [attrs.evolve(node, is_server=True)] if has_server else []


def engine_environment(engine_name: str, node: Node) -> dict[str, str]:
    """The variables of an engine, and those of every node."""
    access = node.buckets
    variables = {
        **_common(node),
        "AWS_ACCESS_KEY_ID": access.access_key,
        "AWS_SECRET_ACCESS_KEY": access.secret_key,
        "S3_ENDPOINT": access.host,
    }
    if engine_name in ("XGBoost-Sklearn", "XGBoost", "Scikit_Learn", "Spark_MLlib"):
        variables.update(
            DATA_URL=node.data.bare if node.data else "",
            TRAIN_URL=node.output.bare if node.output else "",
            APP_URL=node.code.bare if node.code else "",
            MINER_USER_ACCESS_KEY=access.access_key,
            MINER_USER_SECRET_ACCESS_KEY=access.secret_key,
            MINER_OBS_URL=access.host,
        )
    if engine_name == ASCEND:
        rank, size = str(node.rank), str(node.ranks)
        variables.update(RANK_SIZE=size, RANK_ID=rank, DEVICE_ID=str(node.card), JOB_ID=node.job_id)
    if needs_scheduler(engine_name, node):
        host, _, port = _server(node).partition(":")
        variables.update(
            MS_ROLE="MS_WORKER", MS_WORKER_NUM=str(node.ranks), MS_NODE_ID=str(node.rank),
            MS_SCHED_HOST=host, MS_SCHED_PORT=port,
        )  # fmt: skip
    return variables


def _common(node: Node) -> dict[str, str]:
    hosts = node.hosts
    return {
        "DLS_JOB_ID": node.job_id,
        "DLS_TASK_INDEX": str(node.index),
        "DLS_TASK_NUMBER": str(node.count),
        "DLS_APP_URL": node.code.s3 if node.code else "",
        "DLS_DATA_URL": node.data.s3 if node.data else "",
        "DLS_TRAIN_URL": node.output.s3 if node.output else "",
        **{f"BATCH_CUSTOM{index}_HOSTS": host for index, host in enumerate(hosts)},
        "BATCH_CURRENT_HOST": hosts[node.index],
        "BATCH_WORKER_HOSTS": ",".join(hosts),
        "BATCH_JOB_ID": node.job_id,
        "BATCH_TASK_INDEX": str(node.index),
        "BATCH_TASK_REPLICAS": str(node.count),
    }


def passed_twice(passed: list[tuple[str, str]], parameters: list[tuple[str, str]]) -> list[str]:
    """A line for the log for each hyperparameter that has the name of an argument which is passed by itself."""
    names = {name for name, _ in passed}
    told = "is passed by the engine and once more as a hyperparameter; argparse takes the last"
    return [f"--{name} {told}" for name, _ in parameters if name in names]


def as_option(name: str, value: Any) -> str:
    """`--key=value`; for an empty value `--key=`, in a shell `--key=''`."""
    return f"--{name}={value}"
