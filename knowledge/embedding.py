"""Text becomes vectors, by a sentence-transformers model: which one, its prompts, and what tells it from another.

sentence-transformers and torch take seconds to import, so they are imported when a model is first loaded.
"""

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

BATCH = 32
HUB_PATIENCE = 5.0
"""Seconds in which the model hub must answer."""
log = logging.getLogger(__name__)


class ModelMissing(Exception):
    """A model cannot be loaded; the message says which and why, in one sentence."""


class Embedder:
    """A loaded model. Safe for use from several threads: one text is encoded at a time."""

    def __init__(self, model: "SentenceTransformer", name: str) -> None:
        self._model = model
        self._lock = threading.Lock()
        _processors()  # before the first question changes what torch says
        self.name = name
        self.fingerprint = _fingerprint(model)
        """Names the weights, tokenizer and prompts: vectors of one fingerprint can be compared, others cannot."""
        self.dimensions = int(model.get_embedding_dimension() or 0)
        self.space = "ip" if model.similarity_fn_name == "dot" else "cosine"
        """How Chroma measures nearness of this model's vectors."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Float32, (len(texts), dimensions), in the order of `texts`, with the model's own prompt for questions."""
        return self._encoded(self._model.encode_query, texts, threads=1)

    def passages(self, texts: Sequence[str], progress: Progress = lambda done, all: None) -> Vectors:
        """Like `queries`, for what is searched. Long texts are cut off at the model's own maximum length."""
        # Longest first: batches of like length waste no padding. One batch at a time: a question need not wait for all.
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(order), BATCH):
            chunk = order[start : start + BATCH]
            vectors[chunk] = self._encoded(
                self._model.encode_document, [texts[place] for place in chunk], threads=_processors()
            )
            progress(min(start + len(chunk), len(texts)), len(texts))
        return vectors

    def _encoded(self, encode: Callable[..., Any], texts: Sequence[str], *, threads: int) -> Vectors:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        import torch

        with self._lock:
            # One short text gains nothing from a second thread, and loses tenfold when somebody else has that core.
            torch.set_num_threads(threads)
            vectors = encode(
                list(texts), batch_size=BATCH, convert_to_numpy=True, show_progress_bar=False,
                normalize_embeddings=self.space == "cosine",
            )  # fmt: skip
        return np.ascontiguousarray(vectors, dtype=np.float32)


def load(name: str, shipped: str) -> Embedder:
    """The model that was asked for; the shipped one, with a warning, when that cannot be had. Raises ModelMissing."""
    try:
        return _load(name)
    except ModelMissing as reason:
        if Path(name).absolute() == Path(shipped).absolute():
            raise
        log.warning("%s The model that ships with Hordeloper is used instead.", reason)
        return _load(shipped)


def _load(name: str) -> Embedder:
    is_directory = bool(name) and Path(name).is_dir()  # "" would be the directory we happen to be in
    if not is_directory and (not name or Path(name).is_absolute() or name.startswith(".")):
        raise ModelMissing(f"There is no model directory {name!r}.")
    if is_directory:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            name,
            device="cpu",
            model_kwargs={"dtype": torch.float32},
            local_files_only=is_directory or not _hub_answers(),
        )
        return Embedder(model, name)
    except Exception as error:  # what the loaders raise for a damaged file has no common type, down to bare Exception
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        kind = "directory" if is_directory else "hub name"
        raise ModelMissing(f"The embedding model {name!r} ({kind}) cannot be loaded: {reason[:200]}") from error


def _hub_answers() -> bool:
    """Whether the model hub can be reached; without it the hub's own client keeps trying for a minute and a half."""
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=HUB_PATIENCE)
    except Exception as reason:  # of its HTTP client, which is not ours to know
        log.info("The model hub does not answer: %s", reason)
        return False
    return True


@lru_cache(maxsize=1)
def _processors() -> int:
    """As many threads as torch would use: it minds OMP_NUM_THREADS and the processors that this process may have."""
    import torch

    return int(torch.get_num_threads())


def _fingerprint(model: "SentenceTransformer") -> str:
    """A digest of the weights, the prompts and what the tokenizer makes of a sample: what decides the vectors."""
    digest = hashlib.sha256()
    for key, weights in sorted(model.state_dict().items()):
        digest.update(key.encode())
        # A stride keeps this under a tenth of a second; another model or another training changes all weights.
        digest.update(np.ascontiguousarray(weights.detach().float().flatten()[::97].numpy()).tobytes())
    digest.update(repr(sorted(model.prompts.items())).encode())
    digest.update(repr((model.max_seq_length, [type(module).__name__ for module in model])).encode())
    digest.update(repr(model.tokenizer("De gemeente en het warmtenet: wie beslist?")["input_ids"]).encode())
    return digest.hexdigest()[:16]
