"""modelarts_04_0179: Deleting a Training Job Configuration · 删除训练作业参数

Deletes a configuration.
"""

from _setup import Setup, show

from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: by its name
setup.new_config("my_job_config")
session = Session()
estimator = Estimator(modelarts_session=session, config_name="my_job_config")
status = estimator.delete_job_configs()
results.append(status)

# Sample 2: on one that was created
job_config_instance = setup.new_config("my_job_config")
status = job_config_instance.delete_job_configs()
results.append(status)

# Sample 3: on one of a list
setup.new_config("my_job_config")
job_config_instance_list = setup.configs_like("my_job_config")
status = job_config_instance_list[0].delete_job_configs()
results.append(status)

show(results)
