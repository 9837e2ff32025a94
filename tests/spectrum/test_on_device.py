from unittest.mock import Mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.spectrum import eigenvalues as spectrum
from ntklens.spectrum import on_device as device_spectrum
from ntklens.studies import spectrum_workers


@pytest.fixture(scope="module")
def theta():
    """A kernel of 60 rows, one of them zero, with rubbish above the diagonal."""
    factor = np.random.default_rng(0).standard_normal((60, 40)).astype(np.float32)
    factor[5] = 0
    kernel = factor @ factor.T
    kernel[np.triu_indices(60, 1)] = np.nan
    return kernel


def test_normalised_is_that_of_the_host(theta):
    found = device_spectrum.normalised(jnp.asarray(theta))
    np.testing.assert_allclose(np.tril(found), np.tril(spectrum.normalised(theta)), rtol=1e-6)


@pytest.mark.parametrize("normalise", [True, False])
def test_eigenvalues_are_those_of_the_host(theta, normalise):
    expected, found = theta, jnp.asarray(theta)
    if normalise:
        expected, found = spectrum.normalised(expected), device_spectrum.normalised(found)
    expected, found = spectrum.eigenvalues(expected), device_spectrum.eigenvalues(found)
    assert isinstance(found, jax.Array)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected[-1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [(2, 2), (3, 1)])
@pytest.mark.parametrize("normalise", [True, False])
def test_kernel_that_is_not_finite_gives_nan_throughout(normalise, place, value):
    kernel = np.eye(4, dtype=np.float32)
    kernel[place] = value
    found = jnp.asarray(kernel)
    if normalise:
        found = device_spectrum.normalised(found)
    found = device_spectrum.eigenvalues(found)
    assert found.shape == (4,)
    assert np.isnan(found).all()


def test_array_on_a_cpu_is_not_on_an_accelerator():
    assert not device_spectrum.on_accelerator(jnp.ones(3))
    assert not device_spectrum.on_accelerator(np.ones(3))


def test_array_on_another_device_is():
    array = Mock(__class__=jax.Array, devices=lambda: {Mock(platform="gpu")})
    assert device_spectrum.on_accelerator(array)


@pytest.mark.parametrize("of_theta_too", [True, False])
def test_measured_spectra_are_the_same_by_both_routes(theta, monkeypatch, of_theta_too):
    on_host = spectrum_workers.spectra_of(jnp.asarray(theta), of_theta_too)
    monkeypatch.setattr(device_spectrum, "on_accelerator", lambda theta: True)
    on_device = spectrum_workers.spectra_of(jnp.asarray(theta), of_theta_too)
    assert on_device.ntk_trace == on_host.ntk_trace == pytest.approx(np.trace(theta, dtype=np.float64))
    for found, expected in zip(on_device[1:], on_host[1:], strict=True):
        if expected is None:
            assert found is None
        else:
            assert isinstance(found, np.ndarray)
            np.testing.assert_allclose(found, expected, atol=1e-5 * expected[-1])
