"""Labels of figures become HTML without LaTeX, and nothing in them becomes an element by accident."""

import json
import re
from typing import Any

import pytest
from ntklens.gallery.labels import as_html, as_text, with_indices


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Model width m", "Model width m"),
        (r"Effective rank $\Gamma(\Theta_\min)$", "Effective rank Γ(Θ<sub>min</sub>)"),
        (r"$\Gamma(C_{l-1})$", "Γ(C<sub>l−1</sub>)"),
        (r"Test loss at minimum $\mathcal{L}$", "Test loss at minimum ℒ"),
        (r"$\mathcal{L}_\mathrm{train}$", "ℒ<sub>train</sub>"),
        (r"$g^\top\Theta g / \Vert g\Vert^2$", "g<sup>⊤</sup>Θg / ‖g‖<sup>2</sup>"),
        (
            r"$\mathrm{Tr}\,\Theta_\min-\mathrm{Tr}\,\Theta_0$",
            "Tr\u2009Θ<sub>min</sub>−Tr\u2009Θ<sub>0</sub>",
        ),
        (r"$\mathrm{Tr}(\Theta_0)$ and $-\chi(\Theta_\min)$", "Tr(Θ<sub>0</sub>) and −χ(Θ<sub>min</sub>)"),
        (r"$1 - \cos(\Theta_0, \Theta_\mathrm{min})$", "1 − cos(Θ<sub>0</sub>, Θ<sub>min</sub>)"),
        (r"−0.88, $\mathcal{L}_\infty=$0.31", "−0.88, ℒ<sub>∞</sub>=0.31"),
        ("<b>&'", "&lt;b&gt;&amp;&#x27;"),
        ("$<$", "&lt;"),
        (r"$\mathrm{<i>}$", "&lt;i&gt;"),
        ("$_$", "<sub></sub>"),
    ],
)
def test_label_becomes_html(label: str, expected: str) -> None:
    assert as_html(label) == expected


def test_label_becomes_text_for_those_who_do_not_see_it() -> None:
    assert as_text(r"Rank $\Gamma(\Theta_\min)$ of <own> data") == "Rank Γ(Θmin) of <own> data"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("falls as m^-0.8 in the shallower", "falls as m<sup>−0.8</sup> in the shallower"),
        ("as m^2.", "as m<sup>2</sup>."),
        ("a < b^c", "a &lt; b<sup>c</sup>"),
        (
            "Γ_sat/(1 + m_Γ/m)^p and Γ_∞",
            "Γ<sub>sat</sub>/(1 + m<sub>Γ</sub>/m)<sup>p</sup> and Γ<sub>∞</sub>",
        ),
        ("the key test_loss", "the key test_loss"),
    ],
)
def test_exponents_are_raised_and_indices_lowered(text: str, expected: str) -> None:
    assert with_indices(text) == expected


def test_no_label_of_the_smoke_run_keeps_latex(finished: Any) -> None:
    texts: set[str] = set()
    for path in (finished / "results/smoke/figures").glob("*.json"):
        collect(json.loads(path.read_text(encoding="utf-8"))["panels"], texts)
    formulas = {text for text in texts if "$" in text}
    assert len(formulas) > 20
    for text in formulas:
        assert not re.search(r"[\\$_^{}]", re.sub("<[^>]*>", "", as_html(text))), text


def collect(content: Any, texts: set[str]) -> None:
    """Add every string in ``content`` to ``texts``."""
    if isinstance(content, str):
        texts.add(content)
    elif isinstance(content, dict | list):
        for own in content.values() if isinstance(content, dict) else content:
            collect(own, texts)
