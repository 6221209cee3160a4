"""The word arm: BM25 over the terms of the passages."""

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge import dutch
from knowledge.dutch import Weighted
from knowledge.passages import Passage

Scores = NDArray[np.float32]

if TYPE_CHECKING:
    from bm25s import BM25

K1 = 1.2
B = 0.6  # passages are short and of like length: punish length less than the usual 0.75


class Lexical:
    """BM25 (Lucene's variant, as bm25s computes it) over passages. Immutable."""

    def __init__(self, retriever: "BM25", words: Mapping[str, int]) -> None:
        self._columns: Mapping[str, int] = retriever.vocab_dict
        self._data: NDArray[np.float32] = retriever.scores["data"]
        self._rows: NDArray[np.int32] = retriever.scores["indices"]
        self._starts: NDArray[np.int64] = retriever.scores["indptr"]
        self._size = int(retriever.scores["num_docs"])
        self._retriever = retriever
        self.words = words
        """The words of the passages as they are written there, with how often each occurs."""

    @classmethod
    def of(cls, passages: Sequence[Passage], terms: Sequence[Sequence[str]] | None = None) -> "Lexical":
        """The index of these passages; rows are in their order. `terms` are theirs where they are known already."""
        words = Counter(token.word for passage in passages for token in dutch.tokens(passage.text))
        corpus = terms or [dutch.analysed(passage.text) for passage in passages]
        retriever = _bm25()(method="lucene", k1=K1, b=B)
        # bm25s cannot index nothing: an empty library still has one row, which no query reaches.
        retriever.index([list(row) for row in corpus] if any(corpus) else [["∅"]], show_progress=False)
        return cls(retriever, words)

    def scores(self, query: Sequence[Weighted]) -> Scores:
        """Float32, one score a passage; 0 where no term occurs. A sum over terms, each times its weight."""
        scores = np.zeros(self._size, dtype=np.float32)
        for term, weight in query:
            column = self._columns.get(term)
            if column is not None:
                reach = slice(self._starts[column], self._starts[column + 1])
                scores[self._rows[reach]] += weight * self._data[reach]
        return scores

    def ceiling(self, query: Sequence[Weighted]) -> float:
        """What a passage could score at most: each term as in its best passage. 1 when the corpus has no term of it.

        A score divided by this is the part of the question that a passage answers, comparable across questions.
        """
        total = 0.0
        for term, weight in query:
            column = self._columns.get(term)
            if column is not None:
                total += weight * float(self._data[self._starts[column] : self._starts[column + 1]].max())
        return total or 1.0

    def knows(self, term: str) -> bool:
        return term in self._columns

    def save(self, directory: Path) -> None:
        self._retriever.save(directory, show_progress=False)  # type: ignore[no-untyped-call]
        (directory / "words.json").write_text(json.dumps(dict(self.words), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> "Lexical":
        """What `save` wrote. Raises OSError, ValueError or KeyError for anything else."""
        retriever = _bm25().load(directory, load_corpus=False, show_progress=False)
        return cls(retriever, json.loads((directory / "words.json").read_text(encoding="utf-8")))


def _bm25() -> "type[BM25]":
    """bm25s, which takes half a second to import (scipy) and then tells of every step it takes."""
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)
    return bm25s.BM25
