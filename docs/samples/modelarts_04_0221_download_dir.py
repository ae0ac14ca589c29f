"""modelarts_04_0221: Downloading a Folder from OBS · 从OBS下载文件夹

Downloads a folder of a bucket to a local folder. The folder keeps its name.

`home` stands for the `/home/` of a notebook.
"""

from _setup import Setup, show

from modelarts.session import Session

setup = Setup()
home = setup.home
setup.session.obs.upload_file(f"{home}/ma-user/file1.txt", "obs://bucket-name/dir1/")
results = []

# Sample 1: into the user's own folder
session = Session()
answer = session.obs.download_dir(src_obs_dir="obs://bucket-name/dir1/", dst_local_dir=f"{home}/ma-user/")
results.append(answer)

# Sample 2: as the English edition has it, into the folder for work
session = Session()
answer = session.obs.download_dir(src_obs_dir="obs://bucket-name/dir1/", dst_local_dir=f"{home}/ma-user/work/")
results.append(answer)

show(results)
