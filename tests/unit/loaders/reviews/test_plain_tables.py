"""Plain tables in the shapes of metafor, meta and this package."""

import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.meta_analysis.reproduce import reproduce

COUNTS = ("events_t", "n_t", "events_c", "n_c")
MEANS = ("mean_t", "sd_t", "n_t", "mean_c", "sd_c", "n_c")
SHAPES = [
    ("slab,ai,n1i,ci,n2i\nA,4,123,11,139", "counts", COUNTS, (4, 123, 11, 139)),
    ("study,ai,bi,ci,di\nA,4,119,11,128", "counts", COUNTS, (4, 123, 11, 139)),
    ("studlab,event.e,n.e,event.c,n.c\nA,4,123,11,139", "counts", COUNTS, (4, 123, 11, 139)),
    ("study,events_t,n_t,events_c,n_c\nA,4,123,11,139", "counts", COUNTS, (4, 123, 11, 139)),
    ("study,m1i,sd1i,n1i,m2i,sd2i,n2i\nA,5,4.7,13,6.5,3.8,12", "means", MEANS, (5, 4.7, 13, 6.5, 3.8, 12)),
    ("study,mean.e,sd.e,n.e,mean.c,sd.c,n.c\nA,5,4,13,6,3,12", "means", MEANS, (5, 4, 13, 6, 3, 12)),
    ("study,mean_t,sd_t,n_t,mean_c,sd_c,n_c\nA,5,4,13,6,3,12", "means", MEANS, (5, 4, 13, 6, 3, 12)),
    ("study,yi,vi\nA,-0.9,0.25", "effects", ("effect", "se"), (-0.9, 0.5)),
    ("study,yi,sei\nA,-0.9,0.5", "effects", ("effect", "se"), (-0.9, 0.5)),
    ("studlab,TE,seTE\nA,-0.9,0.5", "effects", ("effect", "se"), (-0.9, 0.5)),
    ("study;effect;se\nA;-0.9;0.5", "effects", ("effect", "se"), (-0.9, 0.5)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "fields", "values"), SHAPES)
def test_shapes(text, kind, fields, values, tmp_path):
    path = tmp_path / "trial.csv"
    path.write_text(text, encoding="utf-8")
    review = read_review(path)
    assert review.format == "plain_table"
    (unit,) = review.units
    assert unit.data_type == kind
    assert unit.lines[0].study == "A"
    assert tuple(getattr(unit.lines[0], field) for field in fields) == values


def test_nothing_published_nothing_to_check(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(SHAPES[0][0], encoding="utf-8")
    assert list(reproduce(path).to_frame()["verdict"]) == ["not_checkable"]


def test_a_printed_result_in_the_table_is_checked(tmp_path):
    """BCG trials of Aronson 1948, Ferguson 1949, Rosenthal 1960; RR by hand: R = Σ a n2/N over Σ c n1/N."""
    a, n1, c, n2 = (4, 6, 3), (123, 306, 231), (11, 29, 11), (139, 303, 220)
    total = [x + y for x, y in zip(n1, n2, strict=True)]
    top = sum(x * m / t for x, m, t in zip(a, n2, total, strict=True))
    ratio = top / sum(x * m / t for x, m, t in zip(c, n1, total, strict=True))
    head = "study,ai,n1i,ci,n2i,measure,method,model,published_estimate\n"
    rows = "".join(
        f"S{i},{w},{x},{y},{z},RR,MH,fixed,{ratio:.4f}\n"
        for i, (w, x, y, z) in enumerate(zip(a, n1, c, n2, strict=True))
    )
    path = tmp_path / "bcg.csv"
    path.write_text(head + rows, encoding="utf-8")
    frame = reproduce(path).to_frame()
    assert list(frame["verdict"]) == ["reproduced"]
    assert frame["recomputed_estimate"][0] == pytest.approx(ratio, abs=1e-12)


@pytest.mark.parametrize(
    "head",
    ["studlab,treat1,treat2,TE,seTE", "studlab,treat,event,n", "study,treat_t,treat_c,effect,se"],
)
def test_networks_go_elsewhere(head, tmp_path):
    path = tmp_path / "network.csv"
    path.write_text(f"{head}\n" + ",".join("1" for _ in head.split(",")), encoding="utf-8")
    with pytest.raises(LoadError, match="pool_network"):
        read_review(path)
