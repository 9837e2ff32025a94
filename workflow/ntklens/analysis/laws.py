"""The laws that are fitted to a quantity y > 0 along scales x > 0, as formulas.

A bent law is a power law on one side of its bend and a constant, its level, on the other:

    y = level · (1 + (x / bend)^q)^s

    form          s    q    what for
    trace ratio  −1    1    β = β₀ / (1 + m/m_β): a gain that does not depend on m over an affine Tr Θ₀
    offset       +1    1    Tr Θ₀ = T₀ (1 + m/m*), its expectation (`ntklens.analysis.initial_trace`)
    saturating   −p   −1    Γ = Γ_sat / (1 + m_Γ/m)^p: rises as m^p, then saturates
    limited      +1   −p    L = L∞ + A m^−p, with A = L∞ · bend^p: falls to a limit (Bahri et al. 2024)

The first two have two parameters. The others also have the power p > 0: with it, Γ's exponent below its bend
can be compared with the paper's. Every form is a power law if its bend is far to one side of all scales.
Γ's bend is where the rise as m^p ends. The form Γ_sat / (1 + (m_Γ/m)^p) would not do: with a slow rise,
p ≪ 1, it bends over 1/p decades, and its m_Γ is where Γ reaches half its level, not where the power law ends.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Real

FormName = Literal["trace ratio", "offset", "saturating", "limited"]
Values: TypeAlias = Real[np.ndarray, "*shape"] | float | int


class Form(NamedTuple):
    """One form of bent law: the signs of s and q, and which of the two has the fitted size p, if any."""

    name: FormName
    s: Literal[-1, 1]
    sign: Literal[-1, 1]
    power_of: Literal["s", "q"] | None

    @property
    def fitted_power(self) -> bool:
        """Whether the form has the parameter p."""
        return self.power_of is not None

    def exponents(self, power: Values) -> tuple[Values, Values]:
        """s and q with this p."""
        return (
            self.s * power if self.power_of == "s" else self.s,
            self.sign * power if self.power_of == "q" else self.sign,
        )


TRACE_RATIO = Form("trace ratio", -1, 1, None)
OFFSET = Form("offset", 1, 1, None)
SATURATING = Form("saturating", -1, -1, "s")
LIMITED = Form("limited", 1, -1, "q")
FORMS: dict[FormName, Form] = {form.name: form for form in (TRACE_RATIO, OFFSET, SATURATING, LIMITED)}


@dataclass(frozen=True)
class PowerLaw:
    """y = amplitude · x^exponent."""

    amplitude: float
    exponent: float

    def __call__(self, x: Values) -> Float[np.ndarray | np.float64, "*shape"]:
        """The law's y at ``x``."""
        return self.amplitude * np.asarray(x, dtype=float) ** self.exponent


@dataclass(frozen=True)
class BentLaw:
    """y = level · (1 + (x / bend)^q)^s, with the s and q of the ``form`` and ``power``."""

    form: FormName
    level: float
    bend: float
    power: float = 1.0

    def __call__(self, x: Values) -> Float[np.ndarray | np.float64, "*shape"]:
        """The law's y at ``x``."""
        s, q = FORMS[self.form].exponents(self.power)
        steps = q * (np.log(np.asarray(x, dtype=float)) - np.log(self.bend))
        return self.level * np.exp(s * np.logaddexp(0, steps))
