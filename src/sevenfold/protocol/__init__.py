"""The trial on paper: reading and checking a protocol file, and the frozen values that it becomes."""

from sevenfold.protocol.load import ProtocolFile, built_in, load, parse
from sevenfold.protocol.protocol import Protocol

__all__ = ["Protocol", "ProtocolFile", "built_in", "load", "parse"]
