"""The input size: the side of the images in pixels, so that n₀ grows as its square.

Images are resized, or zero-padded to it, as the point's data say (`ntklens.data.image_sizes`).
"""

from ntklens.studies.axis import Axis


def data(entry):
    return {"image_size": {"fit": entry["image_fit"]}}


def at(point, scale):
    image_size = {**point["data"]["image_size"], "pixels": scale}
    return {**point, "data": {**point["data"], "image_size": image_size}}


def problem(scale, point, facts):
    largest = max(facts.shape[:2])
    if point["data"]["image_size"]["fit"] == "zero-padded" and scale < largest:
        return f"images of {largest} pixels a side cannot be zero-padded to {scale}; take at least {largest}"
    return None


INPUT_SIZE = Axis(
    name="input_size",
    folder="pixels-{scale}",
    symbol="s",
    label="Image side in pixels",
    at=at,
    data=data,
    problem=problem,
)
