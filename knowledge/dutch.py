"""Dutch text for a word index: tokens, stems, the parts of compounds, other names of a thing, typing errors.

What pays, measured by letting lessons find their own case: splitting compounds; the stemmer hardly matters.
Lemma first (simplemma knows strong verbs: gekozen, kiezen), then Porter's Dutch stemmer (Snowball's former `dutch`).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import simplemma
import Stemmer
from rapidfuzz import fuzz, process
from simplemma.strategies.dictionaries import DefaultDictionaryFactory

from knowledge.taxonomy import Taxonomy

VERSION = "3"
"""Part of the index's stamp: raise it when the same text would give other terms."""

# Short words that say nothing of what a text is about. "niet", "geen", "zonder" and "tegen" stay: they do here.
STOP_WORDS = frozenset(
    """
    a aan al als alsof althans ben bent bij bijna ca dan dat de deze die dit doen doet door dus echt een eens en er erg
    etc even ga gaan gaat haar had hadden heb hebben hebt heeft hem hen het hier hij hoe hun iemand iets ik in is ja
    je jij jou jouw jullie kan konden kon kun kunnen kunt maar me men met mij mijn moest moet moeten mocht mag mogen na
    naar natuurlijk nog nou nu o of om omdat ons onze ook op over per s soms te tegelijk ten ter toch toen tot u uit uw
    van vanaf vanuit veel via volgens voor waar waarin waarom wanneer want waren was wat we wel welk welke werd werden
    wie wij wil willen wilde word worden wordt zal ze zei zeg zegt zeggen zelf zich zij zijn zo zoals zou zouden zullen
    """.split()
)

SHORT_PARTS = frozenset({"net", "dak", "gas", "zon", "wet", "vve", "wko", "bos", "weg", "dal", "eis", "fase"})
LINKS = ("", "s", "en", "n", "e")
# Known to the dictionary, but as a part of a longer word they are endings or accidents, not words.
NO_PARTS = frozenset(
    """
    achtig atie baar best eerd elen eling ende eren ging heid isch ische iteit lijk loos meeg ment sten ster tegens
    verge verst warmt
    """.split()
)

LONGEST_WORD = 40
"""Letters. What is longer is no Dutch word, and trying to split it would take long."""

# A letter with its accents, which may stand after it as signs of their own, and a soft hyphen that a web page left.
_LETTERS = r"(?:[^\W_][\u0300-\u036f\u00ad]*)+"
_WORD = re.compile(rf"{_LETTERS}(?:['’.-]{_LETTERS})*")
_stemmer = Stemmer.Stemmer("dutch_porter")


class Token(NamedTuple):
    """A word where it stands in a text; `word` is in lower case and without accents."""

    start: int
    end: int
    word: str


class Weighted(NamedTuple):
    """A term of a query: 1.0 for what was typed, less for the parts of a compound, other names and corrections."""

    term: str
    weight: float


PART_WEIGHT = 0.6
OTHER_NAME_WEIGHT = 0.35
CORRECTION_WEIGHT = 0.7


def tokens(text: str) -> Iterator[Token]:
    """The words of a text in order. What a hyphen or apostrophe joins is one word."""
    for match in _WORD.finditer(text):
        word = folded(match.group())
        yield Token(match.start(), match.end(), word)


def folded(text: str) -> str:
    """Lower case, without accents and soft hyphens, with straight apostrophes."""
    if text.isascii():  # most words by far, at a fifth of the time
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("\u00ad", ""))
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).lower()


@lru_cache(maxsize=200_000)
def terms(word: str) -> tuple[str, ...]:
    """What a folded word is found by: its stem, then the stems of its parts. Empty for a stop word."""
    if word in STOP_WORDS:
        return ()
    pieces = [piece for piece in re.split(r"['.-]", word) if piece]
    if len(pieces) > 1:
        parts = [part for piece in pieces if len(piece) > 1 for part in terms(piece)]
        return tuple(dict.fromkeys(("".join(pieces), *parts)))
    split = parts_of(word)
    # What no dictionary knows is inflected in its last part: bewonersinitiatieven is bewoners and initiatieven.
    whole = word.removesuffix(split[-1]) + _stem(split[-1]) if split and not _is_known(word) else _stem(word)
    return tuple(dict.fromkeys((whole, *(_stem(part) for part in split if part not in STOP_WORDS))))


@lru_cache(maxsize=100_000)
def parts_of(word: str) -> tuple[str, ...]:
    """The words that a compound is made of: warmtenet is warmte and net. Empty when it is no compound."""
    if not 7 <= len(word) <= LONGEST_WORD or not word.isalpha():
        return ()
    best = _split(word)
    return best if len(best) > 1 else ()


def analysed(text: str) -> list[str]:
    """The terms of a passage, in order, repeated as often as they occur."""
    return [term for token in tokens(text) for term in terms(token.word)]


def spans(text: str, wanted: Collection[str]) -> list[tuple[int, int]]:
    """Where a text has a word that is found by one of the wanted terms: also inflected, also inside a compound."""
    found = frozenset(wanted)
    return [match.span() for match in _WORD.finditer(text) if not found.isdisjoint(terms(folded(match.group())))]


class Thesaurus:
    """Other names of a thing: abbreviation and full name, official and everyday word."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._others: dict[tuple[str, ...], dict[str, None]] = {}
        for entry in taxonomy.terms.values():
            names = [key for key in (_key(name) for name in entry.names) if key]
            for name in names:
                others = self._others.setdefault(name, {})
                others.update(dict.fromkeys(stem for other in names if other != name for stem in other))
        self._longest = max(map(len, self._others), default=0)

    def other_terms(self, stems: Sequence[str]) -> list[str]:
        """The stems of the other names of everything that is named in a sequence of stems, longest names first."""
        found: dict[str, None] = {}
        start = 0
        while start < len(stems):
            for length in range(min(self._longest, len(stems) - start), 0, -1):
                if others := self._others.get(tuple(stems[start : start + length])):
                    found.update(others)
                    break
            else:
                length = 1
            start += length
        return [stem for stem in found if stem not in stems]


class Analysis(NamedTuple):
    """A query, ready for the word index."""

    terms: tuple[Weighted, ...]
    corrections: Mapping[str, str]
    """Typed word -> the word of the corpus that was searched instead."""


def analysed_query(query: str, words: Mapping[str, int], thesaurus: Thesaurus) -> Analysis:
    """The weighted terms of a query. `words` are the words of the corpus with how often each occurs."""
    weights: dict[str, float] = {}
    corrections: dict[str, str] = {}
    stems: list[str] = []

    def add(found: Iterable[str], whole: float) -> None:
        for place, term in enumerate(found):
            weights[term] = max(weights.get(term, 0.0), whole if place == 0 else whole * PART_WEIGHT)

    for token in tokens(query):
        found = terms(token.word)
        stems += found[:1]
        add(found, 1.0)
        if found and token.word not in words and (near := _corrected(token.word, words)):
            corrections[token.word] = near
            stems += terms(near)[:1]
            add(terms(near), CORRECTION_WEIGHT)
    for term in thesaurus.other_terms(stems):
        weights.setdefault(term, OTHER_NAME_WEIGHT)
    return Analysis(tuple(Weighted(term, weight) for term, weight in weights.items()), corrections)


def _corrected(word: str, words: Mapping[str, int]) -> str | None:
    """The word of the corpus that somebody probably meant. None for a known, a short or an unlike word."""
    if len(word) < 5 or not word.isalpha() or _is_known(word) or parts_of(word):
        return None
    near = process.extract(word, words.keys(), scorer=fuzz.ratio, score_cutoff=82, limit=5)
    return max(near, key=lambda hit: (round(hit[1]), words[hit[0]]))[0] if near else None


def _key(name: str) -> tuple[str, ...]:
    return tuple(found[0] for token in tokens(name) if (found := terms(token.word)))


def _stem(word: str) -> str:
    lemma = simplemma.lemmatize(word if word in _dictionary() else _accented().get(word, word), lang="nl")
    # The dictionary joins what can be split off: aan_sluiten, gemeente_raad.
    return str(_stemmer.stemWord(folded(lemma).replace("_", "")))


@lru_cache(maxsize=1)
def _dictionary() -> Mapping[str, object]:
    return DefaultDictionaryFactory().get_dictionary("nl")


@lru_cache(maxsize=1)
def _accented() -> Mapping[str, str]:
    """Folded word -> how the dictionary spells it, for the words that it knows with accents: coöperaties, geïsoleerd."""
    return {folded(word): word for word in _dictionary() if not word.isascii()}


def _is_known(word: str) -> bool:
    return word in _dictionary() or word in _accented()


def _is_part(text: str) -> bool:
    return text in SHORT_PARTS or (len(text) >= 4 and text not in NO_PARTS and _is_known(text))


@lru_cache(maxsize=100_000)
def _split(word: str) -> tuple[str, ...]:
    """The fewest known parts that make up a word; of equal splits the one whose shortest part is longest."""
    best: tuple[str, ...] = ()
    for end in range(len(word) - 3, 2, -1):
        head = word[:end]
        if not _is_part(head):
            continue
        for link in LINKS:
            if not word.startswith(link, end):
                continue
            tail = word[end + len(link) :]
            rest = (tail,) if _is_part(tail) else _split(tail) if len(tail) >= 7 else ()
            split = (head, *rest)
            if rest and (not best or _cost(split) < _cost(best)):
                best = split
    return best


def _cost(split: tuple[str, ...]) -> tuple[int, int]:
    return len(split), -min(map(len, split))
