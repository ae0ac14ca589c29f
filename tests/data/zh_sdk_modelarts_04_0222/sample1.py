from modelarts.session import Session
from modelarts.estimator import Estimator
from modelarts.environment import Environment
from modelarts.environment.conda_env import CondaDependencies

session = Session()
env = Environment("tensorflow_mlp_mnist")
cd = CondaDependencies.create(pip_packages=["tensorflow==1.13.1", "requests"], conda_packages=["python=3.6.2"])
env.conda = cd
src_local_path = "/home/ma-user/work/tensorflow_mlp_mnist_local_mode/train/"
train_file = "tensorflow_mlp_mnist.py"
estimator = Estimator(modelarts_session=session,
                      code_dir=src_local_path,            # 本地训练脚本目录
                      boot_file=train_file,               # 本地训练启动脚本目录
                      train_instance_type='local',        # 指定为本地训练
                      train_instance_count=1,             # 训练节点个数
                      environment=env)                    # 训练脚本运行的环境
job_instance = estimator.fit(wait=False, job_name='my_training_job')
