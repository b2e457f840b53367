"""The settings file `vertebro.toml`: read, checked line by line, every mistake in one message."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.comparisons.methods import METHODS
from vertebro_outcomes.comparisons.registry_analysis import DAY, OUTCOME, STRATEGIES, Strategy
from vertebro_outcomes.display.disclosure import LARGEST_HIDDEN
from vertebro_outcomes.errors import LoadError, Problem, list_some
from vertebro_outcomes.loaders.limits import read_toml
from vertebro_outcomes.outcomes import FAMILIES, OUTCOMES
from vertebro_outcomes.report.section import sections
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.tables.event_types import INSTRUMENTS
from vertebro_outcomes.vocabulary import TREATMENTS

MOST_HIDDEN: Final = 1000
LAST_DAY: Final = 3650
_NEXT: Final = "correct the lines named above; without the file the defaults hold"
_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "": ("report", "margins", "disclosure", "registry"),
    "report": ("title", "sections", "leave_out"),
    "disclosure": ("largest_hidden",),
    "registry": ("outcomes", "day", "strategies", "complication_rate"),
    "strategies": ("treatment", "comparator", "method", "covariates", "grace_days"),
}
_METHODS: Final = tuple(name for name, method in METHODS.items() if method.kind == "continuous")
_LONGEST_TITLE: Final = 200


def load_settings(path: str | Path | None = None) -> ReportSettings:
    """Read and check a settings file.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file; the defaults if left out. docs/report_settings.md explains every line.

    Returns
    -------
    ReportSettings

    Raises
    ------
    LoadError
        With a line for every unknown name, value out of range, and word of the wrong kind.

    Examples
    --------
    >>> load_settings().largest_hidden
    10
    """
    if path is None:
        return ReportSettings()
    path = Path(path)
    try:
        content = read_toml(path)
    except OSError as error:
        problem = Problem("the file", error.strerror or "cannot be read", "a TOML file")
        raise LoadError(str(path), [problem], "name a file that can be read") from None
    except ValueError as error:  # also what the decoders raise
        problem = Problem("TOML", str(error), "one `name = value` per line, texts in quotes")
        raise LoadError(str(path), [problem], "correct the place named above") from None
    reader = _Reader()
    settings = reader.settings(content)
    if reader.problems:
        raise LoadError(str(path), reader.problems, _NEXT)
    return settings


class _Reader:
    """Collects problems while it reads; a value that cannot be meant falls back to the default."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def settings(self, content: Mapping[str, Any]) -> ReportSettings:
        self._known("", content, "")
        report, disclosure, registry = (
            self._table(content, name) for name in ("report", "disclosure", "registry")
        )
        return ReportSettings(
            title=self._title(report),
            sections=self._sections(report),
            margins=self._margins(content.get("margins", {})),
            largest_hidden=self._whole(
                disclosure, "disclosure.", "largest_hidden", LARGEST_HIDDEN, (0, MOST_HIDDEN)
            ),
            outcomes=self._outcomes(registry),
            day=self._whole(registry, "registry.", "day", DAY, (1, LAST_DAY)),
            strategies=self._strategies(registry),
            complication_rate=self._share(registry, "registry.", "complication_rate"),
        )

    def _refuse(self, where: str, found: object, allowed: str) -> None:
        self._say(where, "nothing" if found is None else repr(found), allowed)

    def _say(self, where: str, found: str, allowed: str) -> None:
        self.problems.append(Problem(where, found, allowed))

    def _table(self, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = content.get(name, {})
        if not isinstance(table, Mapping):
            self._refuse(name, table, f"a table: [{name}]")
            return {}
        self._known(name, table, f"{name}.")
        return table

    def _known(self, kind: str, table: Mapping[str, Any], where: str) -> None:
        for name in table:
            if name not in _KEYS[kind]:
                self._say(f"{where}{name}", "unknown name", _meant(name, _KEYS[kind]))

    def _title(self, report: Mapping[str, Any]) -> str:
        title = report.get("title", "")
        if not isinstance(title, str) or len(title) > _LONGEST_TITLE or "\n" in title:
            self._refuse("report.title", title, f"one line of at most {_LONGEST_TITLE} letters")
            return ""
        return title

    def _sections(self, report: Mapping[str, Any]) -> tuple[str, ...]:
        known = tuple(section.identity for section in sections())
        if "sections" in report and "leave_out" in report:
            self._say("report", "both sections and leave_out", "one of the two")
            return ()
        wanted = self._words(report, "report.", "sections", known)
        dropped = self._words(report, "report.", "leave_out", known)
        if "sections" in report and not wanted:
            self._refuse("report.sections", report["sections"], "at least one section")
        kept = tuple(name for name in known if name not in dropped) if dropped else wanted
        if dropped and not kept:
            self._say("report.leave_out", "every section", "all but at least one")
        return kept

    def _words(
        self, table: Mapping[str, Any], where: str, name: str, known: Sequence[str]
    ) -> tuple[str, ...]:
        given = table.get(name, [])
        if not isinstance(given, list):
            self._refuse(f"{where}{name}", given, "a list: [...]")
            return ()
        for at, word in enumerate(given, start=1):
            if word not in known:
                self._refuse(f"{where}{name}, entry {at}", word, _meant(word, known))
            elif word in given[: at - 1]:
                self._refuse(f"{where}{name}, entry {at}", word, "each once")
        return tuple(word for word in given if word in known)

    def _margins(self, given: Any) -> dict[str, float] | None:
        known = tuple(dict.fromkeys([*FAMILIES, *OUTCOMES]))
        scores = tuple(name for name in known if _is_score(name))
        if not isinstance(given, Mapping):
            self._refuse("margins", given, "a table: [margins]")
            return None
        for name, value in given.items():
            if name not in scores:
                self._say(f"margins.{name}", "no such score", _meant(name, scores))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                self._refuse(f"margins.{name}", value, "a number above 0, in units of the score")
            elif not value < _range(name):
                self._refuse(f"margins.{name}", value, f"less than the scale, {_range(name):g}")
        return {name: given[name] for name in sorted(given)} or None

    def _whole(
        self, table: Mapping[str, Any], where: str, name: str, default: int, limits: tuple[int, int]
    ) -> int:
        value = table.get(name, default)
        low, high = limits
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._refuse(f"{where}{name}", value, f"a whole number from {low} to {high}")
            return default
        return value

    def _share(self, table: Mapping[str, Any], where: str, name: str) -> float | None:
        value = table.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
            self._refuse(f"{where}{name}", value, "a number above 0 and below 1, such as 0.03")
            return None
        return float(value)

    def _outcomes(self, registry: Mapping[str, Any]) -> tuple[str, ...]:
        scores = tuple(INSTRUMENTS)
        found = self._words(registry, "registry.", "outcomes", scores)
        if registry.get("outcomes") == []:
            self._refuse("registry.outcomes", [], "at least one instrument")
        return found or (OUTCOME,)

    def _strategies(self, registry: Mapping[str, Any]) -> tuple[Strategy, ...]:
        given = registry.get("strategies")
        if given is None:
            return STRATEGIES
        if (
            not isinstance(given, list)
            or not given
            or not all(isinstance(s, Mapping) for s in given)
        ):
            self._refuse("registry.strategies", given, "tables: [[registry.strategies]]")
            return STRATEGIES
        found = [
            self._strategy(s, f"registry.strategies, entry {i}.") for i, s in enumerate(given, 1)
        ]
        pairs = [(s.treatment, s.comparator) for s in found]
        for at, pair in enumerate(pairs):
            if pair in pairs[:at]:
                where = f"registry.strategies, entry {at + 1}"
                self._say(where, " against ".join(pair), "each pair once")
        return tuple(found)

    def _strategy(self, given: Mapping[str, Any], where: str) -> Strategy:
        self._known("strategies", given, where)
        arms = []
        for name in ("treatment", "comparator"):
            word = given.get(name)
            if word not in TREATMENTS:
                self._refuse(f"{where}{name}", word, _meant(word, tuple(TREATMENTS)))
            arms.append(str(word))
        if arms[0] == arms[1]:
            self._refuse(f"{where}comparator", arms[1], "another treatment than the first")
        method = given.get("method", STRATEGIES[0].method)
        if method not in _METHODS:
            self._refuse(f"{where}method", method, _meant(method, _METHODS))
        names = given.get("covariates", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._refuse(f"{where}covariates", names, "a list of columns of patients or episodes")
            names = []
        grace = self._whole(given, where, "grace_days", STRATEGIES[0].grace_days, (1, LAST_DAY))
        return Strategy(arms[0], arms[1], str(method), tuple(names), grace)


def _is_score(name: str) -> bool:
    names = FAMILIES.get(name, (name,))
    return all(OUTCOMES[n].kind == "continuous" for n in names) and bool(OUTCOMES[names[0]].better)


def _range(name: str) -> float:
    outcome = OUTCOMES[FAMILIES.get(name, (name,))[0]]
    if outcome.scale_min is None or outcome.scale_max is None:
        return float("inf")
    return outcome.scale_max - outcome.scale_min


def _meant(word: object, known: Sequence[str]) -> str:
    close = get_close_matches(str(word), known, n=1)
    return f"{close[0]}?" if close else list_some(known, most=30)
