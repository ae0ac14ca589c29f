"""modelarts_04_0218: Uploading a File to OBS · 上传文件至OBS

Uploads a file to a folder in a bucket. The object has the name of the file.

`home` stands for the `/home/` of a notebook.
"""

from _setup import Setup, show

from modelarts.session import Session

home = Setup().home
results = []

# Sample 1: one file
session = Session()
answer = session.obs.upload_file(src_local_file=f"{home}/ma-user/file1.txt", dst_obs_dir="obs://bucket-name/dir1/")
results.append(answer)

show(results)
