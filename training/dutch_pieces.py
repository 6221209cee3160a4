"""The pieces of the tokenizer that Dutch needs, and the tokenizer trimmed to them."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from tokenizers import Tokenizer
from wordfreq import top_n_list

TRAINING = Path(__file__).parent
TAXONOMY = TRAINING.parent / "knowledge" / "taxonomy"
DOMAIN_WORDS = TRAINING / "domain_words.txt"

DUTCH_WORDS, ENGLISH_WORDS = 80_000, 8_000
MISSPELT_WORDS = 2_000  # of the most frequent Dutch words, the pieces of their misspellings stay
SHOUTED_WORDS = 2_000  # and of these the pieces in capitals,
ABBREVIATION = 3  # as of every Dutch word of at most so many letters: MW, BAG, VNG

BATCH = 10_000  # words in memory as encodings at a time

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")  # ids 0 to 3
MASK = "<mask>"  # the last id
SPACE = "\u2581"  # how SentencePiece writes the space before a word
SIGN_BLOCKS = (range(0x0100), range(0x2000, 0x2070), range(0x20A0, 0x20D0))  # Latin-1, punctuation, currency
WORD = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*")


def kept_ids(tokenizer: Tokenizer) -> list[int]:
    """Ids of the full tokenizer that stay, ascending: the specials, what our words need, letters, digits, signs, mask.

    A word is cut into its most likely pieces, so dropping others changes nothing for a word whose own pieces all stay.
    """
    vocabulary = tokenizer.get_vocab()
    kept = {id_ for piece, id_ in vocabulary.items() if piece in SPECIALS or piece == MASK or is_elementary(piece)}
    kept.add(_least_likely(tokenizer))
    texts = sorted(set(spellings()))
    for start in range(0, len(texts), BATCH):
        for encoding in tokenizer.encode_batch_fast(texts[start : start + BATCH], add_special_tokens=False):
            kept.update(encoding.ids)
    return sorted(kept)


def is_elementary(piece: str) -> bool:
    """Whether a piece stays whatever the words: a single Latin letter, or only digits and punctuation."""
    text = piece.removeprefix(SPACE)
    if len(text) == 1 and unicodedata.name(text, "").startswith("LATIN "):
        return True
    return all(not char.isalpha() and any(ord(char) in block for block in SIGN_BLOCKS) for char in text)


def spellings() -> Iterator[str]:
    """Every word in every way a text may show it; `(` stands for whatever is written against the front of a word."""
    dutch = top_n_list("nl", DUTCH_WORDS)
    for word in (*domain_words(), *dutch, *top_n_list("en", ENGLISH_WORDS)):
        capitalised = word[:1].upper() + word[1:]
        yield from (word, capitalised, f"({word}", f"({capitalised}")
    for place, word in enumerate(dutch):
        if place < SHOUTED_WORDS or len(word) <= ABBREVIATION:
            yield from (word.upper(), f"({word.upper()}")
    for word in dutch[:MISSPELT_WORDS]:
        yield from misspellings(word)


def misspellings(word: str) -> Iterator[str]:
    """The word with two neighbouring letters swapped, one left out, or one doubled, at every place."""
    for at in range(len(word)):
        before, letter, after = word[:at], word[at], word[at + 1 :]
        yield before + after
        yield before + letter + letter + after
        if after:
            yield before + after[0] + letter + after[1:]


def domain_words() -> list[str]:
    """The words of domain_words.txt and of the taxonomy, without repeats, sorted."""
    words = set(DOMAIN_WORDS.read_text(encoding="utf-8").split())
    for file in TAXONOMY.glob("*.yaml"):
        for text in _texts(yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)):
            words.update(WORD.findall(text))
    return sorted(words)


def trimmed(tokenizer_json: str, kept: Sequence[int]) -> str:
    """The same tokenizer.json with only the pieces in `kept`, numbered anew in that order."""
    tokenizer = json.loads(tokenizer_json)
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = [vocabulary[id_] for id_ in kept]
    new_id = {old: new for new, old in enumerate(kept)}
    for token in tokenizer["added_tokens"]:
        token["id"] = new_id[token["id"]]
    return json.dumps(tokenizer, ensure_ascii=False)


def differing(full: Tokenizer, small: Tokenizer, texts: Sequence[str]) -> list[str]:
    """The texts that the two tokenizers cut into different pieces."""
    pairs = zip(full.encode_batch(texts), small.encode_batch(texts), strict=True)
    return [text for text, (one, other) in zip(texts, pairs, strict=True) if one.tokens != other.tokens]


def _least_likely(tokenizer: Tokenizer) -> int:
    """The piece with the lowest score. An unknown character costs that score less ten, so it must stay as it is."""
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    return min(range(len(vocabulary)), key=lambda id_: vocabulary[id_][1])


def _texts(value: Any) -> Iterable[str]:
    """Every text in what a YAML file holds; keys are not texts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
