"""modelarts_04_0192: Querying the List of Engine Types · 查询引擎规格列表

Lists the engines, the values of `framework_type` and `framework_version`.
"""

from _setup import show

from modelarts.estimator import Estimator
from modelarts.session import Session

results = []

# Sample 1: all of them
session = Session()
engine_list = Estimator.get_framework_list(modelarts_session=session)
results.append(engine_list)

show(results)
