"""Library, index and search, opened once. What pages, reading pages, the command line and benchmarks share."""

import gc
import logging
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge import embedding, index, library, passages
from knowledge.embedding import Embedder, ModelMissing, Progress
from knowledge.index import Index, Report, generations
from knowledge.library import Library
from knowledge.records import Case
from knowledge.search import Answer, Calibration, Filters, Mode, Search, calibration
from knowledge.settings import PROJECT, Settings
from knowledge.taxonomy import Taxonomy, taxonomy

SHIPPED_MODEL = PROJECT / "model"
LOOK_EVERY = 1.0
"""Seconds between two looks at the directory of cases; a look costs a millisecond or two."""

CLOSE_AFTER = 30.0
"""Seconds; no search takes that long."""

log = logging.getLogger(__name__)

Step = Literal["starting", "loading-model", "embedding", "ready", "words-only"]


@dataclass(frozen=True)
class Status:
    """How far the desk is. In every step but `starting` searches are answered, until `ready` by words alone."""

    step: Step
    done: int = 0
    all: int = 0
    reason: str = ""
    """Why it stays at words alone: the model is missing."""


class Desk:
    """Opens at once with the cases; answers by words a moment later, by meaning when the model is loaded.

    `start` brings it there in the background and then keeps it in step with the directory of cases; `bring_in_step` does
    it here and now. Safe for use from several threads.
    """

    def __init__(self, settings: Settings, taxonomy: Taxonomy, calibration: Calibration) -> None:
        self.settings = settings
        self.taxonomy = taxonomy
        self._calibration = calibration
        self._embedder: Embedder | None = None
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self.status = Status("starting")
        self.library: Library = library.read(settings.cases, taxonomy)
        self._search: Search | None = None

    @property
    def search(self) -> Search:
        """The newest search. Waits for the word index when the desk was opened a moment ago."""
        if self._search is None:
            with self._writing:
                if self._search is None:
                    self._use(index.words_only(self.settings.index, self._passages(self.library)), self.library)
        assert self._search is not None
        return self._search

    def answer(self, typed: str, filters: Filters | None = None, *, k: int = 10, mode: Mode = "hybrid") -> Answer:
        return self.search(typed, filters, k=k, mode=mode)

    def similar(self, case: Case) -> tuple[Case, ...]:
        return self.search.similar(case)

    def load_model(self) -> Embedder:
        """The embedding model, loaded once. Raises ModelMissing."""
        if self._embedder is None:
            self._embedder = embedding.load(self.settings.model, str(SHIPPED_MODEL))
            # Streamlit collects garbage after every run; without this it walks all of torch each time (0.2 s a click).
            gc.collect()
            gc.freeze()
        return self._embedder

    def bring_in_step(self, *, rebuild: bool = False, progress: Progress = lambda done, all: None) -> Report:
        """Read the cases again, load the model and bring the index in step. Raises ModelMissing."""
        embedder = self.load_model()
        with self._writing:
            found = library.read(self.settings.cases, self.taxonomy)
            opened, report = index.in_step(
                self.settings.index,
                self._passages(found),
                embedder,
                chroma_url=self.settings.chroma_url,
                rebuild=rebuild,
                progress=progress,
            )
            self._use(opened, found)
            self.status = Status("ready")
        return report

    def start(self) -> threading.Thread:
        """Get ready in the background and stay in step until `stop`."""
        thread = threading.Thread(target=self._live, name="desk", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        self._stopped.set()

    def _live(self) -> None:
        self.status = Status("loading-model")
        _ = self.search  # the word index first: it is there in a moment
        try:
            self.load_model()
        except ModelMissing as error:
            log.error("%s Searches are answered by words alone.", error)
            self.status = Status("words-only", reason=str(error))
        seen: tuple[str, str | None] | None = None
        while not self._stopped.is_set():
            now = (library.stamp(self.settings.cases), generations.current(self.settings.index))
            if now != seen:
                try:
                    self._follow()
                    seen = (self.library.stamp, generations.current(self.settings.index))
                except Exception:  # whatever it is: a thread that dies unseen leaves the desk behind for ever
                    log.exception("The desk could not follow the cases, and tries again")
            self._stopped.wait(LOOK_EVERY)

    def _follow(self) -> None:
        """Be in step with what is in the directories now."""
        if self._embedder is not None:
            self.bring_in_step(progress=self._embedding)
            return
        with self._writing:
            found = library.read(self.settings.cases, self.taxonomy)
            self._use(index.words_only(self.settings.index, self._passages(found)), found)

    def _embedding(self, done: int, all: int) -> None:
        if self.status.step != "ready":  # a changed case takes nothing away from who searches meanwhile
            self.status = Status("embedding", done, all)

    def _passages(self, found: Library) -> tuple[passages.Passage, ...]:
        return passages.of_cases(found.cases.values(), self.taxonomy)

    def _use(self, opened: Index, found: Library) -> None:
        """From now on answer from this. The former index is closed when nobody can be searching it any more."""
        former = self._search.index if self._search else None
        search = Search(found, opened, self.taxonomy, self._embedder, self._calibration)
        self.library, self._search = found, search
        if former is not None and former is not opened:
            closing = threading.Timer(CLOSE_AFTER, former.close)
            closing.daemon = True
            closing.start()


def open_desk(settings: Settings) -> Desk:
    """A desk on these directories. Raises TaxonomyBroken."""
    return Desk(settings, taxonomy(), calibration())


@lru_cache(maxsize=1)
def shared_desk() -> Desk:
    """The one desk of this process, opened by the settings and started. What every page and route works at."""
    desk = open_desk(Settings())
    desk.start()
    return desk
