"""modelarts_04_0190: Obtaining a Built-in Algorithm · 查询预置算法

Lists the built-in algorithms, the values of `model_name`, with their parameters.
"""

from _setup import show

from modelarts.estimator import Estimator
from modelarts.session import Session

results = []

# Sample 1: all of them
session = Session()
algo_info = Estimator.get_built_in_algorithms(modelarts_session=session)
results.append(algo_info)

show(results)
