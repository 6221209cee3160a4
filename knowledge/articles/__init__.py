"""Whatever is only read, as HTML: rendered here once, from escaped templates, and used three times.

As a plain reading page, inside a Streamlit page, and as what a page shows before Streamlit has started. Every text of a
case, a question or the taxonomy is escaped by the templates; nothing that somebody wrote is ever markup.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from knowledge import addresses, dutch
from knowledge.addresses import SearchState
from knowledge.library import Library
from knowledge.records import Case
from knowledge.search import Answer, Hit
from knowledge.taxonomy import Taxonomy

HERE = Path(__file__).parent
NAME = "Hordeloper"
EXAMPLES = (
    "De gemeente wil een warmtenet en heeft ons niets gevraagd",
    "We zijn met tien man en de wethouder vraagt namens wie we spreken",
    "Elke keer een nieuwe ambtenaar, en dan begint alles opnieuw",
)
MONTHS = "januari februari maart april mei juni juli augustus september oktober november december".split()


class Articles:
    """The pages of one taxonomy. Every method returns HTML that starts with its h1 or belongs below one."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(t=taxonomy, to=addresses, name=NAME, examples=EXAMPLES)
        self._templates.filters.update(
            day=written_date, marked=marked, plain=self._labelled, hurdle_label=taxonomy.hurdles.label
        )

    def start(self, library: Library) -> str:
        """The front door without its search box: what this is and where one can go."""
        return self._render("start.html", library=library)

    def doors(self, library: Library) -> str:
        """The ways in: one for each context, one for municipalities, one for coaches."""
        return self._render("doors.html", library=library, counts=Counter(c.context for c in library.cases.values()))

    def search_box(self) -> str:
        """A search form that works without scripts."""
        return self._render("search_box.html", query="", kept={})

    def results(self, answer: Answer, state: SearchState, library: Library, *, note: str = "") -> str:
        """A whole page of hits, for where Streamlit is not there (yet)."""
        kept = addresses.search_params(state._replace(query="", more=0))
        return self._render(
            "results.html", answer=answer, state=state, library=library, note=note, query=state.query, kept=kept
        )

    def chosen(self, state: SearchState) -> str:
        """Which filters are on, and a link that takes them away; nothing where there are none."""
        return self._render("chosen.html", state=state)

    def empty(self) -> str:
        """What one is told while there are no cases."""
        return self._render("empty.html")

    def result_heading(self, answer: Answer, state: SearchState) -> str:
        """How many cases fit, and which typing errors were read as something else."""
        return self._render("result_heading.html", answer=answer, state=state)

    def nothing(self, answer: Answer) -> str:
        """What one is told when nothing fits: so, the nearest hurdles and a way on."""
        return self._render("nothing.html", answer=answer)

    def hit(self, hit: Hit) -> str:
        """A hit without its title: why it matches, what was learned, how it ended."""
        return self._render("hit.html", hit=hit)

    def case(self, case: Case) -> str:
        """One case as an article, from situation to result, with lessons and sources."""
        return self._render("case.html", case=case)

    def actions(self, case: Case, *, in_app: bool, back: str = "") -> str:
        """What one can do with a case: go back, copy its address, print it."""
        return self._render("actions.html", case=case, in_app=in_app, back=back)

    def similar(self, cases: Sequence[Case]) -> str:
        """Links to cases in which much the same happened."""
        return self._render("similar.html", cases=cases)

    def contexts(self, library: Library) -> str:
        """Each context explained, with its hurdles, outcomes and some of its cases."""
        return self._render("contexts.html", library=library, summaries=self._context_summaries(library))

    def themes(self, library: Library) -> str:
        """All themes, each with its question and how many lessons there are."""
        from knowledge import tables  # pandas takes a second to import; the first page of a cold start does without

        lessons = tables.lessons(library)
        counts = {
            theme: {
                "lessons": int((lessons["theme"] == theme).sum()),
                "gemeente": int(((lessons["theme"] == theme) & (lessons["addressee"] != "initiatief")).sum()),
                "cases": int(lessons.loc[lessons["theme"] == theme, "case_id"].nunique()),
            }
            for theme in self._taxonomy.themes
        }
        return self._render("themes.html", counts=counts)

    def theme(self, id: str, library: Library) -> str:
        """The lessons of one theme by addressee, the municipality's own part first, each with its case."""
        lessons = {
            addressee: [
                (lesson, case)
                for case in library.cases.values()
                for lesson in case.lessons
                if lesson.addressee == addressee and id in lesson.themes
            ]
            for addressee in ("gemeente", "beiden", "initiatief")
        }
        return self._render("theme.html", theme=self._taxonomy.themes[id], lessons=lessons)

    def about(self, library: Library) -> str:
        """What this is, where cases come from, how to report an error."""
        provenances = Counter(case.provenance for case in library.cases.values())
        return self._render("about.html", library=library, provenances=provenances)

    def missing(self, what: str) -> str:
        """The page for an address that leads nowhere. `what` is a Dutch noun with its article: "Deze casus"."""
        return self._render("missing.html", what=what)

    def document(
        self, main: str, *, title: str, description: str, canonical: str, data: Mapping[str, Any] | None = None
    ) -> str:
        """A whole HTML document around an article; `data` is shown to machines as JSON-LD."""
        return self._render(
            "document.html",
            main=Markup(main),
            title=title,
            description=description,
            canonical=canonical,
            data=json_ld(data),
        )

    def header(self) -> str:
        """The name and the ways in, as links."""
        return self._render("header.html")

    def _render(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(values)

    def _labelled(self, text: str) -> str:
        """A text of the taxonomy in which other entries are named by id, with their labels instead."""

        def label(match: re.Match[str]) -> str:
            id = match.group()
            for vocabulary in (self._taxonomy.hurdles, self._taxonomy.contexts):
                if id in vocabulary:
                    return f"‘{vocabulary.label(id)}’"
            return id

        return re.sub(r"\b[a-z]+(?:-[a-z]+)+\b", label, text)

    def _context_summaries(self, library: Library) -> dict[str, dict[str, Any]]:
        from knowledge import tables

        frame = tables.hurdles(library)
        summaries = {}
        for id in self._taxonomy.contexts:
            cases = [case for case in library.cases.values() if case.context == id]
            main = frame[(frame["context"] == id) & frame["is_main"]]
            summaries[id] = {
                "cases": len(cases),
                "hurdles": list(main["hurdle"].value_counts(sort=True).head(6).items()),
                "outcomes": [(o, n) for o in self._taxonomy.outcomes if (n := sum(c.outcome == o for c in cases))],
                "examples": sorted(cases, key=lambda case: (case.as_of or "", case.id), reverse=True)[:3],
            }
        return summaries


def marked(text: str, wanted: Collection[str]) -> Markup:
    """A text in which the words that match are marked, also inflected and inside compounds; everything escaped."""
    pieces, at = [], 0
    for start, end in dutch.spans(text, wanted):
        pieces += [escape(text[at:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        at = end
    return Markup("").join([*pieces, escape(text[at:])])


def written_date(text: str) -> str:
    """A date as people write it: 2023, mei 2023, 4 mei 2023."""
    year, *rest = text.split("-")
    if not rest:
        return year
    month = MONTHS[int(rest[0]) - 1]
    return f"{int(rest[1])} {month} {year}" if rest[1:] else f"{month} {year}"


def case_data(case: Case, address: str) -> dict[str, Any]:
    """A case for machines, in the words of schema.org."""
    data = {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": case.title,
        "description": case.summary,
        "inLanguage": "nl",
        "url": address,
        "isPartOf": {"@type": "WebSite", "name": NAME},
        "contentLocation": {"@type": "Place", "name": f"{case.where}, {case.place.province}"},
        "citation": [
            {
                "@type": "CreativeWork",
                "name": source.title,
                "publisher": source.publisher,
                **({"url": source.url} if source.url else {}),
                **({"datePublished": source.date} if source.date else {}),
            }
            for source in case.sources
        ],
    }
    return {**data, "dateModified": case.as_of} if case.as_of else data


def json_ld(data: Mapping[str, Any] | None) -> Markup | None:
    """JSON that is safe inside a script element."""
    if data is None:
        return None
    return Markup(
        json.dumps(data, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    )
