"""modelarts_04_0222: Debugging a Training Job · 训练作业调试

Debugs a script on the notebook in an environment of its own, then trains it on the platform.

Both samples need Python 3.6.2 and TensorFlow 1.13.1. conda, mamba or micromamba install them where one of them is
there; elsewhere the local service refuses the environment, and says which versions of Python it has. See
docs/debugging.md.
"""

from _setup import Setup, show

from modelarts.environment import Environment
from modelarts.environment.conda_env import CondaDependencies
from modelarts.errors import ModelArtsError
from modelarts.estimator import Estimator
from modelarts.session import Session

setup = Setup()
results = []

# Sample 1: on this machine
session = Session()
env = Environment("tensorflow_mlp_mnist")
cd = CondaDependencies.create(pip_packages=["tensorflow==1.13.1"], conda_packages=["python=3.6.2"])
env.conda = cd
src_local_path = f"{setup.notebook_code()}/"  # on a notebook /home/ma-user/work/tensorflow_mlp_mnist_local_mode/train/
train_file = "tensorflow_mlp_mnist.py"
estimator = Estimator(
    modelarts_session=session,
    code_dir=src_local_path,
    boot_file=train_file,
    train_instance_type="local",
    train_instance_count=1,
    environment=env,
)
setup.without_job("my_training_job")
try:
    job_instance = estimator.fit(wait=False, job_name="my_training_job")
    results.append((env, setup.ended(job_instance)))
except ModelArtsError as refused:
    results.append((env, refused))

# Sample 2: on the platform
session = Session()
env = Environment("tensorflow_mlp_mnist")
cd = CondaDependencies.create(pip_packages=["tensorflow==1.13.1"], conda_packages=["python=3.6.2"])
env.conda = cd
src_local_path = f"{setup.notebook_code()}/"
train_file = "tensorflow_mlp_mnist.py"
estimator = Estimator(
    modelarts_session=session,
    code_dir=src_local_path,
    boot_file=train_file,
    train_instance_type="modelarts.vm.cpu.2u",
    train_instance_count=1,
    environment=env,
)
setup.without_job("my_training_job")
try:
    job_instance = estimator.fit(wait=False, job_name="my_training_job")
    results.append((env, setup.ended(job_instance)))
except ModelArtsError as refused:
    results.append((env, refused))

show(results)
