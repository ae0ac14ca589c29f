"""modelarts_04_0179: Deleting a Training Job Configuration · 删除训练作业参数

Deletes a saved configuration.
"""

from _world import World, show

from modelarts.estimator import Estimator
from modelarts.session import Session

world = World()
results = []

# Sample 1: by its name
world.new_config("my_job_config")
session = Session()
estimator = Estimator(modelarts_session=session, config_name="my_job_config")
status = estimator.delete_job_configs()
results.append(status)

# Sample 2: on one that was created
job_config_instance = world.new_config("my_job_config")
status = job_config_instance.delete_job_configs()
results.append(status)

# Sample 3: on one of a list
world.new_config("my_job_config")
job_config_instance_list = world.configs_like("my_job_config")
status = job_config_instance_list[0].delete_job_configs()
results.append(status)

show(results)
