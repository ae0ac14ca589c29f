"""`moxing.file`: files in buckets and on this machine."""

import sys

from ..._package import explain_missing
from . import file_io as file_io
from .file_io import File as File
from .file_io import MoxFileNameDuplicateException as MoxFileNameDuplicateException
from .file_io import MoxFileNotExistsException as MoxFileNotExistsException
from .file_io import MoxFileReadException as MoxFileReadException
from .file_io import MoxFileRespException as MoxFileRespException
from .file_io import _MoxFileBaseRespException as _MoxFileBaseRespException
from .file_io import append as append
from .file_io import append_remote as append_remote
from .file_io import background_sync_copy as background_sync_copy
from .file_io import copy as copy
from .file_io import copy_parallel as copy_parallel
from .file_io import exists as exists
from .file_io import get_size as get_size
from .file_io import glob as glob
from .file_io import is_directory as is_directory
from .file_io import list_directory as list_directory
from .file_io import make_dirs as make_dirs
from .file_io import mk_dir as mk_dir
from .file_io import read as read
from .file_io import remove as remove
from .file_io import rename as rename
from .file_io import scan_dir as scan_dir
from .file_io import set_auth as set_auth
from .file_io import shift as shift
from .file_io import stat as stat
from .file_io import walk as walk
from .file_io import write as write

explain_missing(__name__)
sys.modules[__name__.replace(".framework.", ".")] = sys.modules[__name__]  # for `import moxing.file`
