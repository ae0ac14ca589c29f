"""modelarts_04_0176: Obtaining Training Job Configurations · 查询训练作业参数列表

Lists the details of configurations, page by page.
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
job_paras_list = Estimator.get_job_configs_list(
    modelarts_session=session,
    per_page=10,
    page=1,
    sort_by="create_time",
    order="asc",
    search_content="configname",
)
results.append(job_paras_list)

show(results)
