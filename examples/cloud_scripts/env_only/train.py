"""Everything from the environment, as Spark and XGBoost engines pass it: URLs without a scheme, keys as MINER_*."""

import csv
import os
import pickle
import sys

import moxing as mox
from sklearn.metrics import accuracy_score
from sklearn.tree import DecisionTreeClassifier

data = "s3://" + os.environ["DATA_URL"]
output = "s3://" + os.environ["TRAIN_URL"]
mox.file.set_auth(ak=os.environ["MINER_USER_ACCESS_KEY"], sk=os.environ["MINER_USER_SECRET_ACCESS_KEY"],
                  server=os.environ["MINER_OBS_URL"])
options = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])

rows, labels = [], []
for name in sorted(mox.file.list_directory(data)):
    with mox.file.File(os.path.join(data, name), "r") as f:
        for row in list(csv.reader(f))[1:]:
            rows.append([float(value) for value in row])
            labels.append(os.path.splitext(name)[0])

tree = DecisionTreeClassifier(max_depth=int(options["max_depth"]), random_state=0)
tree.fit([row for i, row in enumerate(rows) if i % 5], [label for i, label in enumerate(labels) if i % 5])
print("accuracy", accuracy_score(labels[::5], tree.predict(rows[::5])))

with mox.file.File(os.path.join(output, "model", "tree.pkl"), "wb") as f:
    pickle.dump(tree, f)
