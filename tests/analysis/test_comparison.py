import csv
import math
from html.parser import HTMLParser

from ntklens.analysis.claims import Claim, Interval
from ntklens.analysis.comparison import Row, as_csv, as_html, as_markdown, row_of, unmeasured

CLAIM = Claim(
    id="exponent",
    section="4.2",
    figure="2",
    says="It falls | as <fast> as 'that'",
    studies=("model-scaling",),
    measure="slope",
    value=-0.5,
    margin=0.1,
)


def rows() -> list[Row]:
    return [
        row_of(CLAIM, "a & b", -0.5, Interval(-0.55, -0.45), "by a fit"),
        row_of(CLAIM, "c", 1234.5678, Interval(-math.inf, math.inf), "by a fit"),
        unmeasured(CLAIM, "d", "there is one width"),
    ]


def test_csv_holds_the_numbers_in_full() -> None:
    first, second, third = csv.DictReader(as_csv(rows()).splitlines())
    assert (float(first["ours"]), float(first["low"]), first["verdict"]) == (-0.5, -0.55, "agrees")
    assert first["claim"] == CLAIM.says
    assert (float(second["ours"]), second["high"], second["verdict"]) == (1234.5678, "inf", "not decided")
    assert (third["ours"], third["verdict"]) == ("", "not measured")
    assert third["how it is computed"] == "there is one width"


def test_markdown_has_a_line_for_each_row_and_counts_verdicts() -> None:
    text = as_markdown(rows(), "Claims")
    assert "3 comparisons: agrees 1, disagrees 0, not decided 1, not measured 1." in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(rows())
    assert {line.replace("\\|", "").count("|") for line in table} == {8}
    assert "-0.5 [-0.55, -0.45]" in table[2]
    assert "1235 [−∞, ∞]" in table[3]


def test_a_number_without_an_interval_is_shown_and_decides_nothing() -> None:
    row = row_of(CLAIM, "a", -0.48, Interval(math.nan, math.nan), "by a fit")
    assert row.verdict == "not decided"
    assert "-0.48, without an interval | not decided" in as_markdown([row], "t")
    (cells,) = csv.DictReader(as_csv([row]).splitlines())
    assert (cells["ours"], cells["low"], cells["high"]) == ("-0.48", "", "")


def test_html_shows_names_as_they_are() -> None:
    class Cells(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[str] = []
            self.texts: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.append(tag)

        def handle_data(self, data: str) -> None:
            self.texts.append(data)

    page = Cells()
    page.feed(as_html(rows(), "Claims"))
    assert page.tags.count("tr") == 1 + len(rows())
    assert CLAIM.says in page.texts
    assert "a & b" in page.texts
