"""modelarts_04_0222: Debugging a Training Job · 训练作业调试

Debugs a script on the notebook in a separate conda environment, then trains it on the platform.

An environment can be defined, but training in it is not supported yet: `Estimator(environment=…)` raises a
`ConfigError`. Without `environment`, the local service trains with the packages of its own interpreter.
"""

from _setup import show

from modelarts.environment import Environment
from modelarts.environment.conda_env import CondaDependencies
from modelarts.errors import ConfigError
from modelarts.estimator import Estimator
from modelarts.session import Session

results = []

# Sample 1: on this machine
session = Session()
env = Environment("tensorflow_mlp_mnist")
cd = CondaDependencies.create(pip_packages=["tensorflow==1.13.1"], conda_packages=["python=3.6.2"])
env.conda = cd
src_local_path = "/home/ma-user/work/tensorflow_mlp_mnist_local_mode/train/"
train_file = "tensorflow_mlp_mnist.py"
try:
    estimator = Estimator(
        modelarts_session=session,
        code_dir=src_local_path,
        boot_file=train_file,
        train_instance_type="local",
        train_instance_count=1,
        environment=env,
    )
    job_instance = estimator.fit(wait=False, job_name="my_training_job")
except ConfigError as refused:
    results.append((env, refused))

# Sample 2: on the platform
session = Session()
env = Environment("tensorflow_mlp_mnist")
cd = CondaDependencies.create(pip_packages=["tensorflow==1.13.1"], conda_packages=["python=3.6.2"])
env.conda = cd
src_local_path = "/home/ma-user/work/tensorflow_mlp_mnist_local_mode/train/"
train_file = "tensorflow_mlp_mnist.py"
try:
    estimator = Estimator(
        modelarts_session=session,
        code_dir=src_local_path,
        boot_file=train_file,
        train_instance_type="modelarts.vm.cpu.2u",
        train_instance_count=1,
        environment=env,
    )
    job_instance = estimator.fit(wait=False, job_name="my_training_job")
except ConfigError as refused:
    results.append((env, refused))

show(results)
