"""modelarts_04_0219: Uploading a Folder to OBS · 上传文件夹至OBS

Puts a folder of this machine into a folder of a bucket, with its own name.

`home` stands for the `/home/` of a notebook.
"""

from _world import World, show

from modelarts.session import Session

home = World().home
results = []

# Sample 1: a folder and what is in it
session = Session()
answer = session.obs.upload_dir(src_local_dir=f"{home}/ma-user/", dst_obs_dir="obs://bucket-name/dir1/")
results.append(answer)

show(results)
