"""Reporting checklists as data: each item, in our words, and where the report answers it.

Item numbers are those of the statements; the topics are short names of our own, the wording of the
statements is not repeated. PRISMA 2020: doi:10.1136/bmj.n71. STROBE: doi:10.1371/journal.pmed.0040296;
RECORD extends it (R), doi:10.1371/journal.pmed.1001885. TARGET: doi:10.1001/jama.2025.13350, 21 items in
six sections (abstract, introduction, methods, results, discussion, other information); its items are
listed by section and topic, because their numbers could not be read at the source. What is not done is
called so, and is not the same as not applicable.
"""

from dataclasses import dataclass
from typing import Final, Literal

Scope = Literal["literature", "registry"]


@dataclass(frozen=True)
class Item:
    """One item: `answered` is an anchor of the report, `because` why there is none.

    `because` begins with "not done:" or "not applicable:", or says who has to answer.
    """

    number: str
    topic: str
    answered: str = ""
    because: str = ""


@dataclass(frozen=True)
class Checklist:
    """A statement and its items."""

    name: str
    about: Scope
    source: str
    items: tuple[Item, ...]

    def empty(self) -> list[str]:
        """Items that are neither answered nor said not to apply, or both."""
        return [f"{self.name} {i.number} {i.topic}" for i in self.items
                if bool(i.answered) == bool(i.because)]  # fmt: skip


def _items(text: str) -> tuple[Item, ...]:
    """`number | topic | #anchor` or `number | topic | because ...`, one a line."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        number, topic, where = (part.strip() for part in line.rsplit("|", 2))
        anchored = where.startswith("#")
        found.append(Item(number, topic, where[1:] if anchored else "", "" if anchored else where))
    return tuple(found)


_NO_SCREENING: Final = (
    "not done: no search was run; the sheets are a collection, their origin is in SOURCE.md"
)
_FEW: Final = "not done: fewer than ten studies in almost every question"
_BLINDING: Final = (
    "not done: only whether patients knew their treatment counts, in the certainty rule"
)
_NO_PROTOCOL: Final = "not done: none was registered; the questions stand in the code as data"
_PUBLISHER: Final = "to be stated by whoever publishes a report made with this software"

PRISMA: Final = Checklist(
    "PRISMA 2020",
    "literature",
    "doi:10.1136/bmj.n71",
    _items(
        f"""
        1 | title | to be stated by whoever publishes it: this report is no systematic review
        2 | abstract | #what-was-found
        3 | rationale | #claims-examined
        4 | objectives | #table-questions
        5 | eligibility | #methods-selection
        6 | information sources | #data-rows
        7 | search strategy | {_NO_SCREENING}
        8 | selection process | {_NO_SCREENING}
        9 | data collection | #methods-selection
        10 | data items | #data-rows
        11 | risk of bias assessment of studies | {_BLINDING}
        12 | effect measures | #methods-synthesis
        13 | synthesis methods | #methods-synthesis
        14 | reporting bias assessment | {_FEW}
        15 | certainty assessment | #what-was-found
        16 | study selection | #evidence-map
        17 | study characteristics | #sheet-studies
        18 | risk of bias in studies | not done: no judgement per trial; contradicting numbers are listed
        19 | results of individual studies | #table-pain_vp_sham_12m
        20 | results of syntheses | #pain-vertebroplasty-against-sham
        21 | reporting biases | {_FEW}
        22 | certainty of evidence | #what-was-found
        23 | discussion | #headline-thin
        24 | registration and protocol | {_NO_PROTOCOL}
        25 | support | {_PUBLISHER}
        26 | competing interests | {_PUBLISHER}
        27 | availability of data, code | #data-rows
        """
    ),
)
STROBE_RECORD: Final = Checklist(
    "STROBE and RECORD",
    "registry",
    "doi:10.1371/journal.pmed.0040296; doi:10.1371/journal.pmed.1001885",
    _items(
        f"""
        1 | title and abstract | #the-registry
        2 | background | #claims-examined
        3 | objectives | #table-questions
        4 | design | #registry-pain
        5 | setting | #the-registry
        6 | participants | #the-registry
        7 | variables | #the-registry
        8 | data sources | #the-registry
        9 | bias | #registry-pain
        10 | study size | not applicable: the registry is taken whole
        11 | quantitative variables | #registry-pain
        12 | statistical methods | #registry-pain
        13 | participants and their flow | #the-registry
        14 | descriptive data | #the-registry
        15 | outcome data | #registry-complications-and-fractures
        16 | main results | #registry-pain
        17 | other analyses | #registry-complications-and-fractures
        18 | key results | #registry-pain
        19 | limitations | #headline-thin
        20 | interpretation | #registry-pain
        21 | generalisability | #the-registry
        22 | funding | {_PUBLISHER}
        R1 | data type, region and time, linkage in title or abstract | #the-registry
        R6 | selection by codes and linkage | #the-registry
        R7 | code lists | to be published with the report: the mapping file of the registry holds them
        R12 | access, cleaning, linkage | #the-registry
        R13 | selection of records | #the-registry
        R19 | limits of data not collected for research | #headline-thin
        R22 | access to protocol, data and code | #data-rows
        """
    ),
)
TARGET: Final = Checklist(
    "TARGET",
    "registry",
    "doi:10.1001/jama.2025.13350",
    _items(
        """
        abstract | emulation named as such | #registry-pain
        introduction | causal question and why it is emulated | #registry-pain
        methods | data sources and their suitability | #the-registry
        methods | eligibility | #registry-pain
        methods | treatment strategies | #registry-pain
        methods | assignment and how confounding is handled | #registry-pain
        methods | time zero and follow-up | #registry-pain
        methods | outcomes | #registry-pain
        methods | estimand | #registry-pain
        methods | identifying assumptions | #registry-pain
        methods | analysis plan | #registry-pain
        methods | missing data | #the-registry
        results | participant flow | #the-registry
        results | baseline by strategy | #the-registry
        results | follow-up and adherence | #the-registry
        results | estimates per estimand | #registry-pain
        results | sensitivity analyses | #registry-pain
        discussion | interpretation and limitations | #headline-thin
        other information | registration, data and code | #data-rows
        """
    ),
)
CHECKLISTS: Final = (PRISMA, STROBE_RECORD, TARGET)
