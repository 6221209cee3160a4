"""Real parts, tiny corpus: six cases of the library, the shipped model, Chroma itself."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from knowledge import embedding, index, passages
from knowledge import library as library_room
from knowledge.desk import SHIPPED_MODEL
from knowledge.embedding import Embedder
from knowledge.library import Library
from knowledge.passages import Passage
from knowledge.records import Case
from knowledge.settings import PROJECT
from knowledge.taxonomy import Taxonomy
from knowledge.taxonomy import taxonomy as shipped_taxonomy

SIX = (
    "assen-lariks-zeven-projectleiders",
    "apeldoorn-dorps-en-wijkraden-status",
    "schouwen-duiveland-zierikzee-malta",
    "stichtse-vecht-soco-aanz-aanbesteding",
    "wageningen-benedenbuurt-wow-riool",
    "aa-en-hunze-energiecoaches-voordeur",
)

# Tests run side by side: threads of one model that wait for a processor another has make both ten times slower.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """All journeys to one worker, so that they share one server; everything else to whoever is free.

    That is what `xdist_group` is for, but xdist 3.8 cannot tell its scheduler of groups under pytest 9.2.
    """
    from xdist.scheduler import LoadGroupScheduling

    class Journeys(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "journeys" if nodeid.startswith("tests/journeys/") else nodeid

    return Journeys(config, log)


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return shipped_taxonomy()


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    """A valid case; what is given replaces its fields."""

    def make(**fields: Any) -> Case:
        data: dict[str, Any] = {
            "id": "een-casus",
            "title": "Bewoners krijgen geen antwoord en gaan naar het spreekuur",
            "summary": "Een groep bewoners mailt drie maanden zonder antwoord en vindt dan een vast gezicht.",
            "initiative": "Warm Dorp",
            "initiative_type": "overig",
            "place": {"municipality": "Assen", "province": "Drenthe"},
            "context": "gesprek-stokt",
            "phase": "starten",
            "hurdles": ["geen-gehoor"],
            "situation": "Een dorp wil van het gas af.",
            "obstacle": "Niemand bij de gemeente antwoordt op mails.",
            "approach": ["Naar het spreekuur van de wethouder gegaan."],
            "result": "Er kwam een vaste contactpersoon.",
            "outcome": "overcome",
            "lessons": [
                {"for": "initiatief", "text": "Ga langs als mailen niet helpt.", "themes": ["vertrouwen-en-relatie"]}
            ],
            "provenance": "opgetekend",
        }
        return Case.model_validate(data | fields)

    return make


@pytest.fixture
def library_directory(tmp_path: Path) -> Path:
    """A directory with six real, different cases."""
    directory = tmp_path / "cases"
    directory.mkdir()
    for id in SIX:
        shutil.copy(PROJECT / "cases" / f"{id}.yaml", directory)
    return directory


@pytest.fixture
def library(library_directory: Path, taxonomy: Taxonomy) -> Library:
    return library_room.read(library_directory, taxonomy)


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The shipped model, loaded once."""
    return embedding.load(str(SHIPPED_MODEL), str(SHIPPED_MODEL))


@pytest.fixture(scope="session")
def corpus(taxonomy: Taxonomy) -> tuple[Passage, ...]:
    """Some passages of the six cases, each cut to a line: as real as they come, and embedded in a moment."""
    cases = [library_room.read_case(PROJECT / "cases" / f"{id}.yaml", taxonomy)[0] for id in SIX]
    whole = passages.of_cases([case for case in cases if case], taxonomy)
    some = [passage for passage in whole if passage.section in ("title", "obstacle", "result") or not passage.place]
    return tuple(passage._replace(text=passage.text[:90]) for passage in some if passage.section != "approach")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, corpus: tuple[Passage, ...], embedder: Embedder) -> Path:
    """The index directory of `corpus`. Copy it before you change or damage it."""
    directory = tmp_path_factory.mktemp("built") / "index"
    opened, _report = index.in_step(directory, corpus, embedder)
    opened.close()
    return directory
