"""The rank table of Ascend engines: which node has which devices, as scripts and `hccl` read it (RANK_TABLE_FILE)."""

from __future__ import annotations

from typing import Any

from modelarts.local.paths import JobPaths, write_private


def create(paths: JobPaths, job_id: int, nodes: int, cards: int) -> None:
    """Write the table of a version.

    All nodes are on this machine, so each has a loopback address of its own: a table in which two nodes are the same
    server would be invalid.
    """
    write_private(paths.rank_table, {
        "status": "completed",
        "group_count": "1",
        "group_list": [{
            "group_name": f"job-{job_id}",
            "device_count": str(nodes * cards),
            "instance_count": str(nodes),
            "instance_list": [_instance(node, cards) for node in range(nodes)],
        }],
    })  # fmt: skip


def variables(paths: JobPaths) -> dict[str, str]:
    """The variable that names the table, if there is one."""
    return {"RANK_TABLE_FILE": str(paths.rank_table)} if paths.rank_table.exists() else {}


def _instance(node: int, cards: int) -> dict[str, Any]:
    block, number = divmod(node, 250)  # each node is one server, with an address of its own
    return {
        "pod_name": f"worker-{node}",
        "server_id": f"127.0.{block}.{number + 1}",
        "devices": [
            {"device_id": str(card), "device_ip": f"127.{card + 1}.{block}.{number + 1}"} for card in range(cards)
        ],
    }
