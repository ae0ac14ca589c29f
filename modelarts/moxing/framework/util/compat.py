"""Conversion between text and bytes."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union


def as_str(value: "Union[bytes, str]", encoding: str = "utf-8") -> str:
    """Bytes or text as text."""
    return value.decode(encoding) if isinstance(value, bytes) else value


def as_bytes(value: "Union[bytes, str]", encoding: str = "utf-8") -> bytes:
    """Bytes or text as bytes."""
    return value if isinstance(value, bytes) else value.encode(encoding)


as_text = as_str
