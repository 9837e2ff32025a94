"""Labels of figures as HTML: the mathematics that Matplotlib typesets, in Unicode with <sub>, <sup> and <i>.

Plotly knows these elements too; LaTeX itself would need MathJax, which takes as much space as the whole page.
"""

import html
import re

SYMBOLS = {
    "Theta": "Θ",
    "theta": "θ",
    "Gamma": "Γ",
    "Sigma": "Σ",
    "beta": "β",
    "chi": "χ",
    "infty": "∞",
    "top": "⊤",
    "Vert": "‖",
    "times": "×",
    "min": "min",
    "max": "max",
    "log": "log ",
    "cos": "cos",
    ",": "\u2009",
}
SCRIPT_CAPITALS = {"L": "ℒ"}
# A command, a group in braces, or one character.
TOKEN = re.compile(r"\\(?P<name>[A-Za-z]+|.)\s*|\{(?P<group>(?:[^{}]|\{[^{}]*\})*)\}|(?P<one>.)", re.DOTALL)


def as_html(label: str) -> str:
    """The ``label``, whose mathematics is between dollar signs, as HTML; all else in it is escaped."""
    words, *rest = label.split("$")
    parts = [html.escape(words)]
    for number, part in enumerate(rest):
        parts.append(html.escape(part) if number % 2 else _formula(part))
    return "".join(parts)


def as_text(label: str) -> str:
    """The ``label`` as plain text, for text alternatives: indices follow what they belong to."""
    return html.unescape(re.sub(r"<[^>]*>", "", as_html(label)))


def with_indices(text: str) -> str:
    """Plain ``text`` as HTML, with exponents as in ``m^-0.8`` raised and indices as in ``m_β`` lowered."""
    raised = re.sub(
        r"\^([-−]?[\d.]*\d|\w\b)", lambda found: f"<sup>{_signed(found[1])}</sup>", html.escape(text)
    )
    return re.sub(r"\b([^\W\d_])_(\w+|∞)", r"\1<sub>\2</sub>", raised)


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _formula(source: str) -> str:
    done: list[str] = []
    position = 0
    while position < len(source):
        element = {"_": "sub", "^": "sup"}.get(source[position])
        text, position = _token(source, position + bool(element))
        done.append(f"<{element}>{text}</{element}>" if element else text)
    return "".join(done)


def _token(source: str, position: int) -> tuple[str, int]:
    """The token at ``position`` as HTML, and the position after it."""
    found = TOKEN.match(source, position)
    if found is None:
        return "", position + 1
    end = found.end()
    if found["group"] is not None:
        return _formula(found["group"]), end
    if found["one"] is not None:
        return html.escape(found["one"].replace("-", "−")), end
    name = found["name"]
    if name in ("mathrm", "mathcal"):
        letters, end = _argument(source, end)
        return html.escape(SCRIPT_CAPITALS.get(letters, letters) if name == "mathcal" else letters), end
    return html.escape(SYMBOLS.get(name, name)), end


def _argument(source: str, position: int) -> tuple[str, int]:
    """The text in braces at ``position``, and the position after it."""
    found = TOKEN.match(source, position)
    if found is None:
        return "", position
    return found["group"] or found["one"] or "", found.end()
