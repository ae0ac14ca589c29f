"""Starts one process for each rank, each in a session of its own, as launchers of distributed training do."""

import argparse
import os
import signal
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--init_method", required=True)
parser.add_argument("--nproc_per_node", type=int, default=2)
parser.add_argument("--rank", type=int, default=0)  # of the node; passed with several nodes only
parser.add_argument("--world_size", type=int, default=1)
args, rest = parser.parse_known_args()

world_size = args.world_size * args.nproc_per_node
children = []
for local_rank in range(args.nproc_per_node):
    rank = args.rank * args.nproc_per_node + local_rank
    environment = dict(os.environ, RANK=str(rank), WORLD_SIZE=str(world_size), LOCAL_RANK=str(local_rank),
                       INIT_METHOD=args.init_method)
    command = [sys.executable, "-u", "launcher/rank.py"] + rest  # relative to user-job-dir
    children.append(subprocess.Popen(command, env=environment, start_new_session=True))

code = 0
for child in children:
    code = child.wait() or code
    if code:
        for other in children:
            if other.poll() is None:
                os.killpg(other.pid, signal.SIGTERM)
sys.exit(code)
