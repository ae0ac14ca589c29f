from modelarts.session import Session
from modelarts.estimator import Estimator
session = Session()
estimator = Estimator(
                      modelarts_session=session,
                      framework_type='PyTorch',                                     # AI引擎名称
                      framework_version='PyTorch-1.0.0-python3.6',                  # AI引擎版本
                      code_dir='/bucket/src/',                                      # 训练脚本目录
                      boot_file='/bucket/src/pytorch_sentiment.py',                 # 训练启动脚本目录 
                      log_url='/bucket/log/',                                       # 训练日志目录
                      hyperparameters=[
                                       {"label":"classes",
                                        "value": "10"},    
                                       {"label":"lr",
                                        "value": "0.001"}
                                       ],
                      output_path='/bucket/output/',                                 # 训练输出目录
                      train_instance_type='modelarts.vm.gpu.p100',                   # 训练环境规格
                      train_instance_count=1)                                        # 训练节点个数
update_info = estimator.update_job_configs(config_name='my_job_config', inputs='/bucket/dataset/', config_desc='update')
