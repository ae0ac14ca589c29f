"""modelarts_04_0219: Uploading a Folder to OBS · 上传文件夹至OBS

Uploads a folder to a folder in a bucket. The folder keeps its name.

`home` stands for the `/home/` of a notebook.
"""

from _setup import Setup, show

from modelarts.session import Session

home = Setup().home
results = []

# Sample 1: a folder and what is in it
session = Session()
answer = session.obs.upload_dir(src_local_dir=f"{home}/ma-user/", dst_obs_dir="obs://bucket-name/dir1/")
results.append(answer)

show(results)
