"""modelarts_04_0218: Uploading a File to OBS · 上传文件至OBS

Puts a file of this machine into a folder of a bucket, under its own name.

`home` stands for the `/home/` of a notebook.
"""

from _world import World, show

from modelarts.session import Session

home = World().home
results = []

# Sample 1: one file
session = Session()
answer = session.obs.upload_file(src_local_file=f"{home}/ma-user/file1.txt", dst_obs_dir="obs://bucket-name/dir1/")
results.append(answer)

show(results)
