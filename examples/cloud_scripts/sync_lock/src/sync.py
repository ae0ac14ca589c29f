"""Copies data once for all processes of a node: the first one copies, the others wait for its flag in /tmp."""

import os
import time

import moxing as mox

_count = 0


def sync_data(from_path, to_path):
    global _count
    lock = "/tmp/copy_sync.lock" + str(_count)
    _count += 1
    if int(os.getenv("DEVICE_ID", "0")) % 8 == 0 and not os.path.exists(lock):
        print("copy", from_path, "to", to_path)
        mox.file.copy_parallel(from_path, to_path)
        try:
            os.mknod(lock)
        except IOError:
            print("the flag", lock, "cannot be created")
    while not os.path.exists(lock):
        time.sleep(1)
