"""Names of columns in sentences."""

import pytest

from vertebro_outcomes.tables.cohort_tables import TABLES
from vertebro_outcomes.tables.column_words import column_words, in_words, term_words


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("age_years", "age at day 0 (years)"),
        ("bmi", "body mass index (kg/m²)"),
        ("baseline", "score before treatment"),
        ("sex: male", "sex: male"),
        ("fracture_day", "index fracture, days from day 0"),
        ("my_own_column", "my own column"),
    ],
)
def test_terms(term, said):
    assert term_words(term) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("charlson 4, which only one arm has", "Charlson comorbidity index 4, which only one arm has"),
        ("differ in fracture_age_days (0.20)", "differ in age of the fracture at day 0 (0.20)"),
        ("bmi not recorded", "body mass index not recorded"),
        ("no score for day 90", "no score for day 90"),
        ("patients who changed site or sex", "patients who changed site or sex"),
    ],
)  # fmt: skip
def test_sentences(text, said):
    assert in_words(text) == said


def test_every_column_has_words():
    for table in TABLES.values():
        for column in table.columns:
            words = column_words(table.name, column.name)
            assert "_" not in words
            assert words == words.strip() != ""
