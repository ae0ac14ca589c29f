"""The root logger."""

import logging


def reset_logger(level: int = logging.INFO) -> None:
    """Set the level of the root logger, which `import moxing` sets to INFO.

    Example:
        >>> reset_logger(level=logging.WARNING)
    """
    logging.getLogger().setLevel(level)
