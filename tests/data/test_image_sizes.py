import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ntklens.data.errors import UnsuitableDataError
from ntklens.data.image_sizes import FITS, to_size

sides = st.integers(1, 9)
brightness = st.floats(0, 1, width=32)
pictures = st.builds(lambda *shape: shape, st.integers(1, 3), sides, sides, st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays(np.float32, shape, elements=brightness)
)
thorough = settings(deadline=None, max_examples=100)


def sized(pictures, pixels, fit):
    """`to_size` of ``pictures`` (d, height, width, channels), as pictures (d, pixels, pixels, channels)."""
    found = to_size(pictures.reshape(len(pictures), -1), pictures.shape[1:], pixels, fit)
    return found.reshape(len(pictures), pixels, pixels, pictures.shape[3])


def grey(rows):
    """One picture of one channel."""
    return np.array(rows, np.float32)[None, :, :, None]


@thorough
@given(pictures, sides)
def test_resized_images_keep_their_range(images, pixels):
    found = sized(images, pixels, "resized")
    assert found.dtype == np.float32
    for one, other in zip(found, images, strict=True):
        assert other.min() <= one.min() <= one.max() <= other.max()


@thorough
@given(pictures, sides)
def test_resizing_treats_images_channels_and_directions_alike(images, pixels):
    found = sized(images, pixels, "resized")
    for i, channel in np.ndindex(len(images), images.shape[3]):
        alone = sized(images[i : i + 1, :, :, channel : channel + 1], pixels, "resized")
        np.testing.assert_array_equal(found[i, :, :, channel], alone[0, :, :, 0])
    turned = sized(images.transpose(0, 2, 1, 3), pixels, "resized")
    np.testing.assert_allclose(turned.transpose(0, 2, 1, 3), found, atol=1e-6)
    flipped = sized(images[:, ::-1], pixels, "resized")
    np.testing.assert_allclose(flipped[:, ::-1], found, atol=1e-6)


@thorough
@given(brightness, sides, sides, sides)
def test_resized_constant_image_is_constant(value, height, width, pixels):
    image = np.full((1, height, width, 1), value, np.float32)
    np.testing.assert_array_equal(sized(image, pixels, "resized"), np.float32(value))


@pytest.mark.parametrize("fit", FITS)
def test_same_size_changes_nothing(fit):
    images = np.random.default_rng(0).random((2, 5, 5, 3), np.float32)
    np.testing.assert_array_equal(sized(images, 5, fit), images)


def test_growing_interpolates_linearly():
    found = sized(grey([[0, 1], [0, 1]]), 4, "resized")
    np.testing.assert_allclose(found[0, :, :, 0], [[0, 0.25, 0.75, 1]] * 4, atol=1e-6)


def test_shrinking_averages_by_a_triangle():
    """At a third of the side, weights are 1 − |distance| / 3, for each side of the picture."""
    row = np.array([0.1, 0.8, 0.3, 0.9, 0.0, 0.5])
    weights = np.array([2, 3, 2, 1, 0, 0]) / 8  # around pixel 1
    expected = [weights @ row, weights[::-1] @ row]
    found = sized(grey([row] * 6), 2, "resized")
    np.testing.assert_allclose(found[0, :, :, 0], [expected] * 2, atol=1e-6)


def test_shrinking_to_one_pixel_takes_every_pixel_in():
    found = sized(grey([[1, 0], [0, 1]]), 1, "resized")
    np.testing.assert_allclose(found.ravel(), [0.5], atol=1e-6)


@thorough
@given(pictures, st.integers(0, 4))
def test_zero_padding_puts_every_image_into_the_middle(images, more):
    _, height, width, _ = images.shape
    pixels = max(height, width) + more
    found = sized(images, pixels, "zero-padded")
    top, left = (pixels - height) // 2, (pixels - width) // 2
    middle = found[:, top : top + height, left : left + width]
    np.testing.assert_array_equal(middle, images)
    middle[:] = 0  # a view
    assert not found.any()


def test_odd_margin_is_larger_below_and_on_the_right():
    found = sized(grey([[1, 2], [3, 4]]), 5, "zero-padded")
    expected = np.zeros((5, 5))
    expected[1:3, 1:3] = [[1, 2], [3, 4]]
    np.testing.assert_array_equal(found[0, :, :, 0], expected)


@thorough
@given(pictures)
def test_zero_padding_keeps_sums_and_products(images):
    """What a network's first layer and the infinite-width NTK see of two images."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    padded = to_size(images.reshape(len(images), -1), images.shape[1:], 12, "zero-padded").astype(np.float64)
    np.testing.assert_allclose(padded.sum(axis=1), rows.sum(axis=1))
    np.testing.assert_allclose(padded @ padded.T, rows @ rows.T)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("shape", [(3, 5, 1), (1, 1, 3)])
def test_bytes_become_float32_in_the_same_units(fit, shape):
    images = np.full((2, *shape), 200, np.uint8)
    found = sized(images, 6, fit)
    assert found.dtype == np.float32
    assert found.max() == 200


@pytest.mark.parametrize("fit", FITS)
def test_no_images_become_no_images(fit):
    assert to_size(np.empty((0, 12), np.float32), (2, 2, 3), 4, fit).shape == (0, 48)


@pytest.mark.parametrize("fit", FITS)
def test_images_are_left_alone(fit):
    images = np.random.default_rng(0).random((2, 12), np.float32)
    before = images.copy()
    to_size(images, (2, 2, 3), 4, fit)[:] = 5
    to_size(images, (2, 2, 3), 2, fit)[:] = 5
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("pixels", [0, -3])
def test_size_below_one_raises(fit, pixels):
    with pytest.raises(ValueError, match=f"pixels is {pixels}, must be at least 1"):
        to_size(np.ones((2, 4)), (2, 2, 1), pixels, fit)


@pytest.mark.parametrize("shape", [(6, 2, 1), (2, 6, 1)])
def test_canvas_smaller_than_the_image_raises(shape):
    with pytest.raises(
        UnsuitableDataError, match=rf"images of {shape[0]}×{shape[1]} pixels do not fit into 5×5"
    ):
        to_size(np.ones((2, 12)), shape, 5, "zero-padded")


def test_unknown_fit_raises_and_lists_the_allowed_ones():
    with pytest.raises(ValueError, match="unknown fit 'cropped'; allowed are resized, zero-padded"):
        to_size(np.ones((2, 4)), (2, 2, 1), 3, "cropped")


def test_rows_of_another_shape_raise():
    """Eight numbers are no image of four pixels, nor two of them."""
    with pytest.raises(ValueError, match="reshape"):
        to_size(np.ones((1, 8)), (2, 2, 1), 3, "resized")
