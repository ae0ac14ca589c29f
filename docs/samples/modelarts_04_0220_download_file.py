"""modelarts_04_0220: Downloading a File from OBS · 从OBS下载文件

Downloads an object to a local folder.

`home` stands for the `/home/` of a notebook.
"""

from _setup import Setup, show

from modelarts.session import Session

setup = Setup()
home = setup.home
setup.session.obs.upload_file(f"{home}/ma-user/file1.txt", "obs://bucket-name/dir1/")
results = []

# Sample 1: one file
session = Session()
answer = session.obs.download_file(
    src_obs_file="obs://bucket-name/dir1/file1.txt", dst_local_dir=f"{home}/ma-user/"
)
results.append(answer)

show(results)
