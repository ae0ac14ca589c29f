"""modelarts_04_0177: Obtaining Details About a Training Job Configuration · 查询训练作业参数详情

Returns the details of a configuration.
"""

from _setup import Setup, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
job_config_instance = setup.new_config("my_job_config")
job_config_instance_list = setup.configs_like("my_job_config")
results = []

# Sample 1: by its name
session = Session()
estimator = Estimator(modelarts_session=session, config_name="my_job_config")
job_paras_info = estimator.get_job_configs_info()
results.append(job_paras_info)

# Sample 2: on one that was created
job_paras_info = job_config_instance.get_job_configs_info()
results.append(job_paras_info)

# Sample 3: on one of a list
job_paras_info = job_config_instance_list[0].get_job_configs_info()
results.append(job_paras_info)

show(results)
