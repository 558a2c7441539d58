"""Words from files stand in a sentence as they are, and what belongs together stays together."""

from pages.shared.words import as_text


def test_marks_are_shown_and_white_space_is_one_space():
    assert as_text(" [a](b)\n\t*c* ") == r"\[a\]\(b\) \*c\*"


def test_a_number_and_its_unit_are_not_parted():
    assert as_text("84.1\u202f% of\u00a0 all") == "84\\.1\u202f\\% of\u00a0 all"
