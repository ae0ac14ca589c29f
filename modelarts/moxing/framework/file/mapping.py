"""`shift`: functions of Python that understand URLs of buckets, too."""


def shift(source: str, target: str) -> None:
    """Not written yet."""
    raise NotImplementedError("moxing.file.shift")
