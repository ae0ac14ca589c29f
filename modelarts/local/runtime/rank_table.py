"""The rank table of Ascend engines: which node has which device, as scripts and `hccl` read it (RANK_TABLE_FILE)."""

from __future__ import annotations

from typing import Any

from modelarts.local.paths import JobPaths, write_private

ENGINE = "Ascend-Powered-Engine"


def create(paths: JobPaths, job_id: int, nodes: int) -> None:
    """Write the table of a version. Each node has one device, and all nodes are on this machine."""
    write_private(paths.rank_table, {
        "status": "completed",
        "group_count": "1",
        "group_list": [{
            "group_name": f"job-{job_id}",
            "device_count": str(nodes),
            "instance_count": str(nodes),
            "instance_list": [_instance(node) for node in range(nodes)],
        }],
    })  # fmt: skip


def variables(paths: JobPaths) -> dict[str, str]:
    """The variable that names the table, if there is one."""
    return {"RANK_TABLE_FILE": str(paths.rank_table)} if paths.rank_table.exists() else {}


def _instance(node: int) -> dict[str, Any]:
    device = {"device_id": "0", "device_ip": "127.0.0.1"}
    return {"pod_name": f"worker-{node}", "server_id": "127.0.0.1", "devices": [device]}
