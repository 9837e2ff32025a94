"""What the page holds inside itself: files as compressed text, pictures as data URIs.

The page decompresses with the browser's own DecompressionStream, so downloads have the bytes of the files.
"""

import base64
import gzip
import io
import json
from typing import Any

from PIL import Image

from ntklens.storage.files import FilePath

WIDEST = 1600  # pixels: twice the width at which the page shows a figure, for dense screens
COLOURS = 128


def packed(data: bytes) -> str:
    """``data`` as base64 of gzip, the same for the same data."""
    return base64.b64encode(gzip.compress(data, compresslevel=9, mtime=0)).decode("ascii")


def packed_json(content: Any) -> str:
    """``content`` as `packed` JSON. Raises ValueError if a number is NaN or infinite."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return packed(text.encode("utf-8"))


def picture(path: FilePath) -> tuple[str, int, int]:
    """The PNG file ``path`` as a data URI of at most `WIDEST` pixels in `COLOURS` colours, and its size."""
    with Image.open(path) as image:
        shown = image.convert("RGB")
    if shown.width > WIDEST:
        shown = shown.resize((WIDEST, round(shown.height * WIDEST / shown.width)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True)
    encoded = base64.b64encode(file.getvalue()).decode("ascii")
    return f"data:image/png;base64,{encoded}", shown.width, shown.height
