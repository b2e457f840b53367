"""Of a refused cell only what cannot be about a person is shown as written."""

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vertebro_outcomes.tables.shown_cells import LONGEST_SHAPE, shown_cell


@pytest.mark.parametrize(
    "text",
    ["11", "-3", "+4", "10.5", "7,25", "250", "L6", "T13", "th 12", "BWK12", "S1"],
)
def test_small_numbers_and_levels_are_shown(text):
    assert shown_cell(text) == text


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("17.03.1991", "99.99.9999"),
        ("17.03.91", "99.99.99"),
        ("1991-03-17", "9999-99-99"),
        ("17031991", "99999999"),
        ("170391", "999999"),
        ("1991", "9999"),
        ("17Mar91", "99Xxx99"),
        (dt.date(1991, 3, 17), "9999-99-99"),
        ("Lind", "Xxxx"),
        ("Öz", "Xx"),
        ("a", "x"),
        ("M-88", "X-99"),
        ("王", "x"),
        ("L1 Lind", "X9 Xxxx"),
        ("88", "88"),
        ("١٩٩١", "9999"),
        ("1.234,5", "9.999,9"),
        ("0000\x00\u202e", "9999??"),
        ("Erika Lindq.", "Xxxxx Xxxxx."),
        ("Erika Lindqv.", "text of 13 characters"),
    ],
)
def test_all_else_is_a_shape(text, shape):
    assert shown_cell(text) == shape


def test_whole_numbers_of_an_engine_lose_their_point():
    assert [shown_cell(value) for value in (11.0, "250.0", 1931.0)] == ["11", "250", "9999.9"]


def test_nothing_is_blank():
    assert [shown_cell(value) for value in (None, float("nan"), "", "  ")] == ["blank"] * 4


def test_words_that_a_column_declares_are_shown():
    assert shown_cell("Female", words=("female", "male")) == "Female"
    assert shown_cell("Femke", words=("female", "male")) == "Xxxxx"


@given(st.text(max_size=40))
@example("0.0")
@example("1931.0")
@example("12345678901.0")
def test_letters_and_long_numbers_never_come_out(text):
    shown = shown_cell(text)
    assert len(shown) <= max(LONGEST_SHAPE, len("text of 40 characters"))
    plain = " ".join(text.split()).removesuffix(".0")
    if shown not in ("blank", plain) and not shown.startswith("text of "):
        assert set(shown) <= set("9Xx? .,;:/-+_'\"()%<>=#*&|")
    if shown == plain:
        assert len(plain) <= 7
