"""What the documents say, beside what there is: commands, options, settings, targets, files, links, pictures."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from knowledge.cli import app
from knowledge.settings import PROJECT, Settings

README = PROJECT / "README.md"
DECISIONS = PROJECT / "docs" / "decisions"
DOCUMENTS = (README, PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").rglob("*.md")))
NAMES = [str(document.relative_to(PROJECT)) for document in DOCUMENTS]
IMAGES = PROJECT / "docs" / "images"

NO_FILES = {"intfloat/multilingual-e5-small"}
"""Looks like a path and is none: a model's name on a hub."""
MADE_LATER = (".index", ".data", ".venv")
"""Directories that a command makes; what is in them is not in the repository."""
IN_A_GENERATION = {"manifest.json", "passages.jsonl", "vectors.npy", "terms.jsonl"}
ENDING = re.compile(r"\.(?:md|py|ya?ml|json|jsonl|toml|txt|sh|css|js|png|safetensors)$")

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(!?)\[[^\]\n]*\]\(([^)\s]+)\)")


def commands() -> dict[str, Any]:
    """Command -> click's command, from the registry that runs."""
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_in_the_readme(name: str) -> None:
    command, said = commands()[name], command_rows()
    assert name in said, f"README's table of commands has no row for `{name}`"
    wanted = {
        shown
        for parameter in command.params
        for shown in ([parameter.name.upper()] if parameter.param_type_name == "argument" else parameter.opts)
    }
    assert wanted <= said[name], f"README does not tell of {sorted(wanted - said[name])} of `{name}`"


def test_readme_tells_of_no_command_or_option_that_is_gone() -> None:
    found = commands()
    for name, said in command_rows().items():
        assert name in found
        real = {option for parameter in found[name].params for option in parameter.opts}
        assert {word for word in said if word.startswith("-")} <= real


@pytest.mark.parametrize("name", NAMES)
def test_command_lines_in_a_document_use_what_there_is(name: str) -> None:
    for line in re.findall(r"-m knowledge ([a-z][^`\n]*)", text(name)):
        command, *words = re.sub(r"\"[^\"]*\"", "", line).split()
        assert command in commands(), line
        real = {option for parameter in commands()[command].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= real, line


@pytest.mark.parametrize("document", ["README.md", "docs/operations.md"])
def test_every_setting_is_in_the_table(document: str) -> None:
    rows = set(re.findall(r"^\| `(HORDELOPER_[A-Z_]+)` \|", text(document), re.MULTILINE))
    assert rows == settings()


@pytest.mark.parametrize("name", NAMES)
def test_a_document_names_no_setting_or_target_that_is_gone(name: str) -> None:
    assert set(re.findall(r"HORDELOPER_[A-Z_]*[A-Z]", text(name))) <= settings()
    targets = set(re.findall(r"^([a-z-]+):.*##", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"`make ([a-z-]+)[^`]*`|^ {4}make ([a-z-]+)", text(name), re.MULTILINE)
    assert {inline or block for inline, block in named} <= targets


@pytest.mark.parametrize("name", NAMES)
def test_every_path_in_a_document_exists(name: str) -> None:
    missing = [path for path in paths(text(name)) if not exists(path)]
    assert not missing, f"{name} names {missing}"


@pytest.mark.parametrize("name", NAMES)
def test_every_link_in_a_document_resolves(name: str) -> None:
    document = PROJECT / name
    for is_picture, target in _LINK.findall(prose(name)):
        if target.startswith(("http://", "https://")) or is_picture:
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.is_relative_to(PROJECT), f"{name} links out of the project: {target}"
        assert file.exists(), f"{name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{name} links to {target}, which has no such heading"


def test_every_decision_is_dated_and_has_its_four_parts() -> None:
    parts = ["Situation", "Choice", "What we gave up", "What would change our mind"]
    linked = text("README.md")
    for file in sorted(DECISIONS.iterdir()):
        assert re.fullmatch(r"20\d\d-[a-z0-9-]+\.md", file.name), file.name
        assert re.findall(r"^## (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) == parts, file.name
        assert f"docs/decisions/{file.name}" in linked, f"README does not link to {file.name}"


def test_every_picture_in_a_document_is_one_that_the_script_takes() -> None:
    taken = {IMAGES / f"{picture.name}.png" for picture in script("screenshots").PICTURES}
    shown = {
        (PROJECT / name).parent / target
        for name in NAMES
        for is_picture, target in _LINK.findall(prose(name))
        if is_picture
    }
    assert shown
    assert {picture.resolve() for picture in shown} <= taken


def test_every_picture_is_there() -> None:
    if not IMAGES.is_dir():
        pytest.skip("docs/images is not there: `make screenshots` takes the pictures")
    missing = [
        picture.name for picture in script("screenshots").PICTURES if not (IMAGES / f"{picture.name}.png").is_file()
    ]
    assert not missing, f"`make screenshots` takes {missing}"


def test_the_case_in_the_handleiding_is_the_one_in_cases() -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```", text("docs/handleiding.md"), re.MULTILINE | re.DOTALL)
    whole = [example for example in examples if example.startswith("# yaml-language-server")]
    assert whole
    for example in whole:
        id = re.findall(r"^id: (.+)$", example, re.MULTILINE)[0]
        assert example == (PROJECT / "cases" / f"{id}.yaml").read_text(encoding="utf-8")


def test_every_field_of_a_case_is_in_the_handleiding() -> None:
    from knowledge.records import Case

    rows = re.findall(r"^\| `([a-z_]+)` \| (ja|nee) \|", text("docs/handleiding.md"), re.MULTILINE)
    real = [(field.alias or key, "ja" if field.is_required() else "nee") for key, field in Case.model_fields.items()]
    assert rows == real


def test_documents_name_no_place_outside_the_project() -> None:
    for name in NAMES:
        assert not re.search(r"/work/|/tmp/|/root/|/home/", text(name)), name


@cache
def text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """A document without its fenced blocks and code: where links are links."""
    return _CODE.sub("", _FENCE.sub("", text(name)))


def settings() -> set[str]:
    return {f"HORDELOPER_{name.upper()}" for name in Settings.model_fields}


def command_rows() -> dict[str, set[str]]:
    """Command -> everything in code in its row of README's table of commands."""
    _before, _heading, after = text("README.md").partition("## Command line\n")
    table = after.partition("\n## ")[0]
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| `")]
    return {_CODE.findall(row[1])[0]: set(_CODE.findall("|".join(row[2:]))) - {"who"} for row in rows}


def paths(content: str) -> Iterator[str]:
    """What stands in code and reads as a file or directory of the project; not addresses of pages or places to fill in."""
    for code in _CODE.findall(_FENCE.sub("", content)):
        path = code.removeprefix("python ")
        is_path = re.fullmatch(r"[\w.*-]+(?:/[\w.*-]+)*/?", path) and ("/" in path or ENDING.search(path, 1))
        if is_path and path not in NO_FILES | IN_A_GENERATION and not path.startswith(MADE_LATER):
            yield path


def exists(path: str) -> bool:
    """Whether there is such a path, from the root; a bare file name may stand anywhere."""
    if any(PROJECT.glob(path.rstrip("/"))):
        return True
    return "/" not in path and path in names_of_files()


@cache
def names_of_files() -> frozenset[str]:
    tops = [top for top in PROJECT.iterdir() if not top.name.startswith(".")]
    return frozenset(file.name for top in tops for file in (top.rglob("*") if top.is_dir() else [top]))


def anchors(file: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    content = _FENCE.sub("", file.read_text(encoding="utf-8"))
    headings = re.findall(r"^#{1,6} (.+)$", content, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@cache
def script(name: str) -> ModuleType:
    """A script of scripts/, loaded but not run."""
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", PROJECT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
