"""The laws that are fitted to a quantity y > 0 along scales x > 0, as formulas.

A bent law is a power law on one side of its bend and a constant, its level, on the other:

    y = level · (1 + (x / bend)^q)^s

    form          s    q    what for
    trace ratio  −1    1    β = β₀ / (1 + m/m_β): a gain that does not depend on m over an affine Tr Θ₀
    offset       +1    1    Tr Θ₀ = T₀ (1 + m/m*), its expectation (`ntklens.analysis.initial_trace`)
    saturating   −1   −p    Γ = Γ_sat / (1 + (m_Γ/m)^p): rises as m^p, then saturates
    limited      +1   −p    L = L∞ + A m^−p, with A = L∞ · bend^p: falls to a limit (Bahri et al. 2024)

The first two have two parameters. The others also have the power p > 0: with it, Γ's exponent below its bend
can be compared with the paper's. Every form is a power law if its bend is far to one side of all scales.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Real

FormName = Literal["trace ratio", "offset", "saturating", "limited"]
Values: TypeAlias = Real[np.ndarray, "*shape"] | float | int


class Form(NamedTuple):
    """One form of bent law: the exponent ``s``, the sign of q, and whether q's size is fitted or 1."""

    name: FormName
    s: Literal[-1, 1]
    sign: Literal[-1, 1]
    fitted_power: bool


TRACE_RATIO = Form("trace ratio", -1, 1, fitted_power=False)
OFFSET = Form("offset", 1, 1, fitted_power=False)
SATURATING = Form("saturating", -1, -1, fitted_power=True)
LIMITED = Form("limited", 1, -1, fitted_power=True)
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
    """y = level · (1 + (x / bend)^q)^s, with s and q = ± ``power`` of the ``form``."""

    form: FormName
    level: float
    bend: float
    power: float = 1.0

    def __call__(self, x: Values) -> Float[np.ndarray | np.float64, "*shape"]:
        """The law's y at ``x``."""
        form = FORMS[self.form]
        steps = form.sign * self.power * (np.log(np.asarray(x, dtype=float)) - np.log(self.bend))
        return self.level * np.exp(form.s * np.logaddexp(0, steps))
