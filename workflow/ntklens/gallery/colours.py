"""Colours for a dark page: those of the static figures, made light enough to be seen on it.

A colour keeps its hue, and the order of lightness of several colours stays. Both are those of Oklab (Björn
Ottosson, 2020), a space in which equal steps look alike.
"""

import numpy as np
from jaxtyping import Float
from matplotlib.colors import to_hex, to_rgb

LEAST_LIGHTNESS = 0.6  # of the darkest colour on a dark page; white has 1
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def on_dark(colour: str) -> str:
    """``colour``, as #rrggbb, for a dark page: its lightness is squeezed into the upper part of the range."""
    lightness, a, b = TO_LAB @ np.cbrt(TO_CONES @ _linear(np.array(to_rgb(colour))))
    lighter = LEAST_LIGHTNESS + (1 - LEAST_LIGHTNESS) * lightness
    linear = np.linalg.solve(TO_CONES, np.linalg.solve(TO_LAB, np.array([lighter, a, b])) ** 3)
    red, green, blue = _encoded(np.clip(linear, 0, 1)).tolist()
    return to_hex((red, green, blue))


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2 (0 is black, 1 white), from which contrasts follow."""
    return float(np.array([0.2126, 0.7152, 0.0722]) @ _linear(np.array(to_rgb(colour))))


def _linear(encoded: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """Linear light from the numbers of sRGB."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """The numbers of sRGB from linear light."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
