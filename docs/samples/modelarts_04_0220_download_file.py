"""modelarts_04_0220: Downloading a File from OBS · 从OBS下载文件

Gets one object of a bucket into a folder of this machine.

`home` stands for the `/home/` of a notebook.
"""

from _world import World, show

from modelarts.session import Session

world = World()
home = world.home
world.session.obs.upload_file(f"{home}/ma-user/file1.txt", "obs://bucket-name/dir1/")
results = []

# Sample 1: one file
session = Session()
answer = session.obs.download_file(
    src_obs_file="obs://bucket-name/dir1/file1.txt", dst_local_dir=f"{home}/ma-user/"
)
results.append(answer)

show(results)
