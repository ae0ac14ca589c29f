"""Open SDK for ModelArts training; see `modelarts.session` and `modelarts.estimator`."""

from modelarts._version import __version__

__all__ = ["__version__"]
