"""Where a version leaves results: the output folder, and the folders of its nodes, where they are lost."""

from __future__ import annotations

from typing import Any

from modelarts._obs.paths import ObsPath
from modelarts.local.paths import JobPaths, LocalHome


def results(home: LocalHome, paths: JobPaths, output: ObsPath | None, nodes: int) -> dict[str, Any]:
    """The member of a spec that says where to look for metrics and for results that are lost."""
    todo = "write results to the path in train_url" if output else "give the job an output_path and write results there"
    return {
        "output": str(output.under(home.buckets)) if output else None,
        "url": output.s3 if output else "",
        "metrics": str(paths.metrics),
        "scratch": [
            {"": str(paths.node(node).job_dir), "/cache/": str(paths.node(node).cache)} for node in range(nodes)
        ],
        "advice": [
            f"{todo}; these files stay in {paths.node(node).root} as long as the setting local_keep says"
            for node in range(nodes)
        ],
    }
