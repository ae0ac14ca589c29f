"""modelarts_04_0191: Querying the List of Resource Flavors · 查询资源规格列表

Lists the flavors, the values of `train_instance_type`.
"""

from _setup import show

from modelarts.estimator import Estimator
from modelarts.session import Session

results = []

# Sample 1: all of them
session = Session()
algo_info = Estimator.get_train_instance_types(modelarts_session=session)
results.append(algo_info)

show(results)
