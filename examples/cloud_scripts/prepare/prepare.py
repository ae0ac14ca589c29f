"""Prepares a data set in OBS with mox.file alone: lists, reads, writes, appends, copies, renames and removes."""

import argparse
import logging
import os

from moxing.framework import file

parser = argparse.ArgumentParser()
parser.add_argument("--data_url")
parser.add_argument("--train_url")
parser.add_argument("--num_gpus", type=int, default=0)
parser.add_argument("--parts", type=int, default=5)
args, unknown = parser.parse_known_args()

work = os.path.join(args.train_url, "work")
if file.exists(work):  # of a run before this one
    file.remove(work, recursive=True)
file.make_dirs(work)
file.copy_parallel(args.data_url, work)
logging.info("%d files, %d bytes", len(file.list_directory(work)), file.get_size(work, recursive=True))

for folder in ("train", "test"):
    path = os.path.join(args.train_url, folder)
    if file.is_directory(path):
        file.remove(path, recursive=True)
    file.mk_dir(path)

for name in sorted(file.list_directory(work)):
    lines = file.read(os.path.join(work, name)).splitlines()
    header, rows = lines[0], lines[1:]
    for folder, chosen in (("train", [row for i, row in enumerate(rows) if i % args.parts]),
                           ("test", rows[::args.parts])):
        with file.File(os.path.join(args.train_url, folder, name), "w") as f:
            f.write(header + "\n")
            f.writelines(row + "\n" for row in chosen)
        file.append(os.path.join(work, "counts.part"), "{}/{} {}\n".format(folder, name, len(chosen)))

file.rename(os.path.join(work, "counts.part"), os.path.join(args.train_url, "counts.txt"))
file.copy(os.path.join(args.train_url, "counts.txt"), "/cache/prepared/counts.txt")
file.remove(work, recursive=True)

with open("/cache/prepared/counts.txt") as f:
    print(f.read(), end="")
for root, _, names in file.walk(args.train_url):
    for name in sorted(names):
        print(root, name, file.stat(os.path.join(root, name)).length)
