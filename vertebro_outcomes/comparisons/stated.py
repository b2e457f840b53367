"""A question put as arguments or as a design: which one, and by which method."""

from dataclasses import dataclass
from typing import Any

from vertebro_outcomes.comparisons.design import METHOD_FOR, Design
from vertebro_outcomes.comparisons.emulate import TARGET_TRIAL, USUAL_GRACE_DAYS
from vertebro_outcomes.comparisons.methods import METHODS
from vertebro_outcomes.errors import refuse_argument


@dataclass(frozen=True)
class Question:
    """Arguments as given or as the design says; `trial` where follow-up starts at presentation."""

    outcome: Any
    treatment: Any
    comparator: Any
    day: Any
    window_days: Any
    method: Any
    design: Design | None
    trial: Design | None


def stated_question(*, design: Any, method: Any, grace_days: Any, **given: Any) -> Question:
    """The question.

    Raises
    ------
    InputError
        If something is stated twice, or method and design contradict each other.
    """
    if design is None:
        return _from_arguments(method, grace_days, given)
    if not isinstance(design, Design):
        raise refuse_argument("compare", "design", type(design).__name__, "a vo.Design")
    for name, value in {**given, "grace_days": grace_days}.items():
        if value is not None:
            raise refuse_argument("compare", name, value, "nothing: the design says it")
    stated = {name: getattr(design, name) for name in given}
    from_presentation = design.time_zero == "presentation"
    if method is None:
        method = "clone_censor_weight" if from_presentation else METHOD_FOR[design.estimand]
    known = METHODS.get(method) if isinstance(method, str) else None
    if known is not None and (known.kind == TARGET_TRIAL) != from_presentation:
        kind = TARGET_TRIAL if from_presentation else "continuous"
        allowed = ", ".join(name for name, m in METHODS.items() if m.kind == kind)
        raise refuse_argument("compare", "method", f"{method} from {design.time_zero}", allowed)
    weighs = known if known is not None and known.adjusts in ("propensity", "both") else None
    if weighs and not from_presentation and f"({design.estimand}" not in weighs.estimand:
        allowed = f"a method for the {design.estimand}, such as {METHOD_FOR[design.estimand]}"
        raise refuse_argument("compare", "method", method, allowed)
    return Question(
        method=method, design=design, trial=design if from_presentation else None, **stated
    )


def _from_arguments(method: Any, grace_days: Any, given: dict[str, Any]) -> Question:
    known = METHODS.get(method) if isinstance(method, str) else None
    if known is None or known.kind != TARGET_TRIAL:
        if grace_days is not None:
            allowed = "nothing with this method; " + ", ".join(
                name for name, m in METHODS.items() if m.kind == TARGET_TRIAL
            )
            raise refuse_argument("compare", "grace_days", grace_days, allowed)
        return Question(method=method, design=None, trial=None, **given)
    day = given["day"]
    if not isinstance(day, int) or isinstance(day, bool) or day < 1:
        raise refuse_argument("compare", "day", day, "a whole number of days from presentation")
    trial = Design(
        given["outcome"], given["treatment"], given["comparator"], day=day, time_zero="presentation",
        grace_days=USUAL_GRACE_DAYS if grace_days is None else grace_days,
        window_days=given["window_days"],
    )  # fmt: skip
    return Question(method=method, design=None, trial=trial, **given)
