"""Which GPUs of this machine a node sees: nodes of one version do not share them if there are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"


def variables(environment: Mapping[str, str], gpus: Sequence[str], node: int, nodes: int) -> dict[str, str]:
    """The variable for one of several nodes, with an equal share; none if the node sees all GPUs.

    Args:
        environment: of the process that started the service, which may see some of the GPUs only, by number or by name.
        gpus: all of this machine.
        node: the index of the node.
        nodes: how many there are.
    """
    given = environment.get(VISIBLE)
    names = [str(number) for number in range(len(gpus))] if given is None else given.split(",")
    share = len(names) // nodes
    if nodes == 1 or share == 0:
        return {}
    return {VISIBLE: ",".join(name.strip() for name in names[node * share : (node + 1) * share])}
