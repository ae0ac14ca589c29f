import os

import tabulate

rows = []
for name in sorted(os.listdir(os.environ["DATA"])):
    with open(os.path.join(os.environ["DATA"], name)) as f:
        header, *lines = f.read().splitlines()
    columns = list(zip(*([float(value) for value in line.split(",")] for line in lines)))
    rows.append([name] + [sum(column) / len(column) for column in columns])
print(tabulate.tabulate(rows, ["file"] + header.split(","), floatfmt=".2f"))
