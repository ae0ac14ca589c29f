from modelarts.estimator import Estimator
from modelarts.session import Session

session = Session.local()  # starts the training service on this machine, or finds the running one
session.obs.create_bucket("first-job")  # an existing bucket is kept
estimator = Estimator(session, code_dir="examples/first_job/src", boot_file="train.py",
                      framework_type="PyTorch", framework_version="PyTorch-1.0.0-python3.6",
                      hyperparameters={"lr": 0.05}, output_path="/first-job/output/",
                      train_instance_type="modelarts.vm.cpu.2u", train_instance_count=1)
job = estimator.fit(inputs="examples/first_job/data", wait=True)  # shows the log until the job ends
