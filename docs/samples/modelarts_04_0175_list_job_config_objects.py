"""modelarts_04_0175: Querying the List of Training Job Parameter Configuration Objects · 查询训练作业参数对象列表

Lists configurations as objects and prints them as a table.
"""

from _setup import Setup, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
setup.new_config("configname-1")
setup.new_config("configname-2")
results = []

# Sample 1: the oldest first
session = Session()
job_config_instance_list = Estimator.get_job_configs_object_list(
    modelarts_session=session,
    is_show=True,
    per_page=10,
    page=1,
    sort_by="create_time",
    order="asc",
    search_content="configname",
)
results.append(job_config_instance_list)

show(results)
