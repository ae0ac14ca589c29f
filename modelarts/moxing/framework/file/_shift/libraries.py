"""What libraries do with files beside `open` and `os`: each of these reaches a file in its own way."""

import functools
import os

from .. import file_io
from .functions import functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Put = Callable[[Any, str, Any], None]  # replaces an attribute of a module, until it is shifted back


_CODE = """
try:
    from {} import shift
except ImportError:
    pass
else:
    shift("os", "mox")
"""


class InWorker:
    """Part of what a spawned process gets: it shifts before it imports the script."""

    def __reduce__(self) -> "tuple[Any, ...]":
        # The path of modules is not yet that of the script: `moxing` need not be on it.
        return exec, (_CODE.format(file_io.__name__), {})


def multiprocessing_spawn(module: "Any", put: "Put") -> None:
    """Processes that are spawned are shifted, as forked ones are."""
    prepare = module.get_preparation_data

    @functools.wraps(prepare)
    def get_preparation_data(*args: "Any", **options: "Any") -> "Any":
        return dict(prepare(*args, **options), moxing=InWorker())

    put(module, "get_preparation_data", get_preparation_data)


def torch_serialization(module: "Any", put: "Put") -> None:
    """`torch.save` opens a file by C++."""
    save = module.save

    @functools.wraps(save)
    def save_to(obj: "Any", f: "Any", *args: "Any", **options: "Any") -> None:
        if not functions.is_url(f):
            save(obj, f, *args, **options)
            return
        with file_io.File(f, "wb") as file:
            save(obj, file, *args, **options)

    put(module, "save", save_to)


def torch_jit(module: "Any", put: "Put") -> None:
    """`torch.jit.save` and `load` open files by C++."""
    save, load = module.save, module.load

    @functools.wraps(save)
    def save_to(m: "Any", f: "Any", *args: "Any", **options: "Any") -> None:
        if not functions.is_url(f):
            save(m, f, *args, **options)
            return
        with file_io.File(f, "wb") as file:
            save(m, file, *args, **options)

    @functools.wraps(load)
    def load_from(f: "Any", *args: "Any", **options: "Any") -> "Any":
        if not functions.is_url(f):
            return load(f, *args, **options)
        with file_io.File(f, "rb") as file:
            return load(file, *args, **options)

    put(module, "save", save_to)
    put(module, "load", load_from)


def torch_script(module: "Any", put: "Put") -> None:
    """`save` of a scripted or traced module opens a file by C++."""
    scripted = module.RecursiveScriptModule
    save = scripted.save

    @functools.wraps(save)
    def save_to(self: "Any", f: "Any", **options: "Any") -> "Any":
        if not functions.is_url(f):
            return save(self, f, **options)
        return file_io.write(f, self.save_to_buffer(**options), binary=True)

    put(scripted, "save", save_to)


def numpy_datasource(module: "Any", put: "Put") -> None:
    """`genfromtxt`, `loadtxt` and `savetxt` would download a URL by HTTP."""
    of_numpy = module.open

    @functools.wraps(of_numpy)
    def open_text(path: "Any", mode: str = "r", *args: "Any", **options: "Any") -> "Any":
        if not functions.is_url(path):
            return of_numpy(path, mode, *args, **options)
        suffix = os.path.splitext(os.fspath(path))[1]
        opener = module._file_openers[suffix] if suffix in (".gz", ".bz2", ".xz") else file_io.File
        return opener(path, mode, encoding=options.get("encoding"), newline=options.get("newline"))

    put(module, "open", open_text)


def pandas_common(module: "Any", put: "Put") -> None:
    """pandas asks for `s3fs` when it sees `s3://`, and looks for the folder of what it writes."""
    for name, for_urls in (("is_fsspec_url", False), ("is_s3_url", False), ("check_parent_directory", None)):
        if hasattr(module, name):
            put(module, name, _except_urls(getattr(module, name), for_urls))
    if hasattr(module, "get_filepath_or_buffer"):  # before pandas 1.2
        put(module, "get_filepath_or_buffer", _opened_before(module.get_filepath_or_buffer))


def _except_urls(function: "Callable[..., Any]", for_urls: "Any") -> "Callable[..., Any]":
    @functools.wraps(function)
    def asked(path: "Any", *args: "Any", **options: "Any") -> "Any":
        return for_urls if functions.is_url(path) else function(path, *args, **options)

    return asked


def _opened_before(function: "Callable[..., Any]") -> "Callable[..., Any]":
    @functools.wraps(function)
    def opened(
        path: "Any", encoding: "Any" = None, compression: "Any" = None, mode: "Any" = None, **options: "Any"
    ) -> "Any":
        if not functions.is_url(path):
            return function(path, encoding, compression, mode, **options)
        if mode is None or "r" in mode:  # it would be read by C
            return file_io.File(path, "rb"), encoding, compression, True
        return path, encoding, compression, False  # it is opened by Python

    return opened


ACTIONS = {
    "multiprocessing.spawn": multiprocessing_spawn,
    "numpy.lib._datasource": numpy_datasource,
    "pandas.io.common": pandas_common,
    "torch.jit._script": torch_script,
    "torch.jit._serialization": torch_jit,
    "torch.serialization": torch_serialization,
}
