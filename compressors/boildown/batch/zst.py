"""Reading .zst files as streams: all their frames, and an error where the last one is cut off."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import zstandard

BLOCK = 1 << 14
"""Packed bytes at a time; what they hold may be hundreds of times as large"""


class Frames(io.RawIOBase):
    """The content of a .zst file. Not zstandard's own reader, for which a file that is cut off just ends there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame: Any = None
        self._packed = b""
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held:
            self._packed = self._packed or self._file.read(BLOCK)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("it ends in the middle")
                return 0
            self._unpack()
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size

    def _unpack(self) -> None:
        self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
        self._held = memoryview(self._frame.decompress(self._packed))
        self._packed = b""
        if self._frame.eof:
            self._packed, self._frame = self._frame.unused_data, None
