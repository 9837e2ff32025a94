"""What a run file's content is, against the same quantities computed by hand, for each way to train."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ntklens.data.errors import UnsuitableDataError
from ntklens.data.settings import DataSettings, NoisyCopies
from ntklens.kernel import ntk
from ntklens.kernel.ntk import ntk_matrix
from ntklens.kernel.static_model import StaticModel
from ntklens.networks.architectures import NetworkSettings
from ntklens.networks.modules import initial_parameters
from ntklens.spectrum.alignments import label_alignment, misalignments
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.storage.quantities import ALIGNMENTS
from ntklens.storage.run_checks import check_trajectory
from ntklens.storage.run_files import DIVERGED, OK, UNFINISHED
from ntklens.studies import recorder, snapshots, spectrum_workers
from ntklens.studies.experiments import Experiment
from ntklens.studies.recipes import Measurement, Recipe
from ntklens.studies.recorder import record
from ntklens.training.optimisers import Adam, Sgd
from ntklens.training.schedules import Stop

from tests.support.clusters import clusters, cross_entropy
from tests.support.identical import assert_identical
from tests.support.interruptions import run_with_kills

SUBSET = clusters()
NETWORK = NetworkSettings(hidden_layers=2, width=5)
DATA = DataSettings(train_samples=10, balanced=False, draw_seed=0)
ADAM, SGD = Adam(b1=0.9, b2=0.999, eps=1e-8), Sgd(momentum=0.9)
WINDOW, FIXED = Stop(20, 20, patience=1.5, max_epochs=120), Stop.fixed(12)
RECIPE = Recipe(
    optimiser=ADAM,
    batch_size=None,
    learning_rate=None,
    stop=WINDOW,
    evaluate_every=1,
    vary="initialisation",
)
MINI_BATCH = replace(RECIPE, optimiser=SGD, batch_size=4, stop=FIXED, evaluate_every=5)
MEASURED = Measurement(
    ntk_samples=4,
    ntk_draws=1,
    trace_every=5,
    spectrum_epochs=(0, 7, 8, 20),
    alignments=True,
    minimum=True,
    save_parameters=1,
)
SPECTRA_ALONE = replace(Measurement.nothing(), ntk_samples=3, ntk_draws=2, spectrum_epochs=(0, 2, 12))
NOISY = replace(
    DATA, train_samples=12, balanced=True, noisy_copies=NoisyCopies(removed_percent=50, sigma=0.01)
)
FULL = Experiment(NETWORK, DATA, RECIPE, SUBSET), MEASURED, 0.006
WINDOWED_BATCHES = (
    Experiment(NETWORK, DATA, replace(MINI_BATCH, stop=WINDOW), SUBSET),
    replace(MEASURED, alignments=False, ntk_draws=2),
    0.02,
)
CASES = {
    "full batch": FULL,
    "own data": (
        Experiment(NETWORK, replace(DATA, draw_seed=None), replace(RECIPE, vary="data"), SUBSET),
        MEASURED,
        0.006,
    ),
    "in turn": (Experiment(replace(NETWORK, width=150), DATA, RECIPE, SUBSET), MEASURED, 0.001),
    "descent": (
        Experiment(NETWORK, DATA, replace(RECIPE, optimiser=SGD), SUBSET),
        replace(MEASURED, ntk_draws=2),
        0.05,
    ),
    "mini-batches": (Experiment(NETWORK, NOISY, MINI_BATCH, SUBSET), SPECTRA_ALONE, 0.02),
    "windowed batches": WINDOWED_BATCHES,
    "on a grid": (
        Experiment(replace(NETWORK, width=40), DATA, replace(RECIPE, evaluate_every=6), SUBSET),
        MEASURED,
        0.003,
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


def recorded(case, seeds=(0, 1), **options):
    experiment, measurement, rate = case
    return record(experiment, measurement, list(seeds), rate, **options)


@pytest.fixture(scope="module")
def trajectories(case):
    return recorded(case)


def parameters_at(case, seed, epochs):
    """The parameters of one seed at each of ``epochs``, by its trainer alone."""
    experiment, _, rate = case
    schedule = replace(
        recorder.schedule_of(experiment.recipe, experiment.network, replace(case[1], trace_every=0)),
        snapshots=tuple(epochs),
        updates_after=False,
    )
    trainer, sets = experiment.trainer(schedule), experiment.training_sets([seed])
    steps = experiment.train(trainer, sets, [seed], rate)
    return {epoch: trainer.parameters_of(members)[0] for epoch, members in steps if epoch in epochs}


def kernels(case, params):
    """The NTK on each draw, in double precision."""
    experiment, measurement, _ = case
    samples = measurement.ntk_samples
    for draw in range(measurement.ntk_draws):
        images = jnp.asarray(SUBSET.test_images[draw * samples : (draw + 1) * samples])
        yield np.asarray(ntk_matrix(experiment.model, params, images), np.float64)


def test_averaging_takes_what_is_recorded(case, trajectories):
    """Also a minimum between the epochs at which mini-batches have a train loss."""
    rows = 3 * case[1].ntk_samples
    for own in trajectories:
        check_trajectory("seeds-0-1.h5", own, rows, zero_rows=False)
    if case is WINDOWED_BATCHES:
        assert any(own.minimum.epoch not in own.epoch for own in trajectories)


def test_spectra_belong_to_their_epochs_and_draws(case, trajectories):
    spectrum = trajectories[1].spectrum
    epochs = case[1].spectrum_epochs
    assert spectrum.epoch.tolist() == list(epochs)
    for row, params in enumerate(parameters_at(case, 1, epochs).values()):
        for draw, theta in enumerate(kernels(case, params)):
            scale = np.sqrt(np.diagonal(theta))
            expected = np.linalg.eigvalsh(theta / np.outer(scale, scale))
            np.testing.assert_allclose(spectrum.eigenvalues[row, draw], expected, atol=1e-3)
            assert spectrum.ntk_trace[row, draw] == pytest.approx(np.trace(theta), rel=1e-3)


def test_alignments_belong_to_their_epochs_and_draws(case, trajectories):
    """Also at a snapshot that follows another by one update."""
    measured = trajectories[1].spectrum.alignments
    if not case[1].alignments:
        assert measured == {}
        return
    assert set(measured) == set(ALIGNMENTS)
    epochs = case[1].spectrum_epochs
    params = parameters_at(case, 1, sorted({*epochs, *(epoch + 1 for epoch in epochs)}))
    for row, epoch in enumerate(epochs):
        pairs = zip(kernels(case, params[epoch]), kernels(case, params[epoch + 1]), strict=True)
        for draw, (before, after) in enumerate(pairs):
            labels = SUBSET.test_labels[4 * draw : 4 * draw + 4]
            found = {name: values[row, draw] for name, values in measured.items()}
            assert found["label_alignment"] == pytest.approx(label_alignment(before, labels), abs=2e-3)
            count = round(effective_rank(trajectories[1].spectrum.eigenvalues[row, draw]))
            vectors = [np.linalg.eigh(theta)[1][:, ::-1][:, :count].T for theta in (before, after)]
            _, sign_matched, basis_free = misalignments(*vectors)
            assert found["misalignment_sign_matched"] == pytest.approx(sign_matched, abs=0.02)
            assert found["misalignment_basis_free"] == pytest.approx(basis_free, abs=0.02)


def test_minimum_is_measured_where_the_test_loss_is_least(case, trajectories):
    for seed, trajectory in enumerate(trajectories):
        if not case[1].minimum:
            assert trajectory.minimum is None
            continue
        minimum, least = trajectory.minimum, np.min(trajectory.curves["test_loss"])
        assert minimum.test_loss <= least
        if minimum.epoch in trajectory.test_epoch:
            assert minimum.test_loss == pytest.approx(least)
        if minimum.epoch in trajectory.epoch:
            row = trajectory.epoch.tolist().index(minimum.epoch)
            assert minimum.train_loss == pytest.approx(trajectory.curves["train_loss"][row], rel=1e-5)
        assert minimum.eigenvalues.sum() == pytest.approx(12, rel=1e-5)
        assert minimum.ntk_eigenvalues.sum() == pytest.approx(minimum.ntk_trace, rel=1e-5)
        assert (minimum.parameters is not None) == (seed < 1)
        if minimum.parameters is not None:
            theta = next(kernels(case, {"params": minimum.parameters}))
            assert minimum.ntk_trace == pytest.approx(np.trace(theta), rel=1e-4)


def test_traces_along_training_are_sums_over_the_layers(case, trajectories):
    layers = ("hidden_1", "hidden_2", "output") if case[1].trace_every else ()
    for trajectory in trajectories:
        assert trajectory.layers == layers
        assert trajectory.layer_traces.shape == (len(trajectory.trace_epoch), len(layers))
        np.testing.assert_allclose(trajectory.layer_traces.sum(axis=1), trajectory.ntk_trace, rtol=1e-6)


def squared_gradient(case, params, draw):
    """‖∇L‖² for the mean cross-entropy of the NTK samples of one draw."""
    samples = case[1].ntk_samples
    part = slice(draw * samples, (draw + 1) * samples)
    images, labels = jnp.asarray(SUBSET.test_images[part]), SUBSET.test_labels[part]
    gradient = jax.grad(lambda params: cross_entropy(case[0].model, params, images, labels))(params)
    return sum(float(jnp.sum(leaf**2)) for leaf in jax.tree.leaves(gradient))


def test_three_factors_give_the_gradient_of_the_loss(case, trajectories):
    spectrum, minimum = trajectories[0].spectrum, trajectories[0].minimum
    for row, params in enumerate(parameters_at(case, 0, case[1].spectrum_epochs).values()):
        for draw in range(case[1].ntk_draws):
            susceptibility = spectrum.loss_susceptibility[row, draw]
            found = susceptibility * spectrum.ntk_trace[row, draw] * spectrum.spectral_position[row, draw]
            assert found == pytest.approx(squared_gradient(case, params, draw), rel=5e-3)
    if minimum is not None:
        found = minimum.loss_susceptibility * minimum.ntk_trace * minimum.spectral_position
        expected = squared_gradient(case, {"params": minimum.parameters}, 0)
        assert found == pytest.approx(expected, rel=5e-3)


def test_ends_are_the_initialisation_and_the_minimum(case, trajectories):
    experiment, measurement, _ = case
    for seed, trajectory in enumerate(trajectories):
        if not measurement.minimum:
            assert trajectory.ends is None
            continue
        ends = trajectory.ends
        np.testing.assert_allclose(ends.initial.layer_traces, trajectory.layer_traces[0], rtol=1e-4)
        assert ends.minimum.layer_traces.sum() == pytest.approx(trajectory.minimum.ntk_trace, rel=1e-4)
        assert (ends.kernel_change > 0) == (trajectory.minimum.epoch > 0)
        if seed == 0:
            initial = jax.tree.map(lambda leaf: leaf[0], experiment.initial_parameters([0]))["params"]
            moved = jax.tree.map(np.subtract, trajectory.minimum.parameters, initial)
            norms = [np.sqrt(sum(np.sum(leaf**2) for leaf in jax.tree.leaves(p))) for p in (moved, initial)]
            assert ends.parameter_change == pytest.approx(norms[0] / norms[1], rel=1e-4)


def test_ends_are_measured_of_dense_networks_alone():
    network = replace(NETWORK, convolutions=1, hidden_layers=1, filters=2)
    (trajectory,) = recorded((replace(FULL[0], network=network), MEASURED, 0.01), [0])
    assert trajectory.minimum is not None
    assert trajectory.layers == ("convolution_1", "hidden_1", "output")
    assert trajectory.ends is None


def test_results_do_not_depend_on_the_number_of_workers(case, trajectories):
    assert_identical(recorded(case, workers=3), trajectories)


@pytest.mark.parametrize("kills", [[1], [2], [1, 2, 2]])
def test_killed_job_resumes_to_the_same_numbers(case, trajectories, tmp_path, kills):
    found = run_with_kills(
        lambda checkpoint: recorded(case, checkpoint=checkpoint), tmp_path / "job.npz", kills
    )
    assert_identical(found, trajectories)


def test_killed_job_does_not_start_anew(case, tmp_path):
    visited = []

    def job(checkpoint):
        visited.append([])
        return recorded(case, checkpoint=checkpoint, report=lambda epoch, _: visited[-1].append(epoch))

    run_with_kills(job, tmp_path / "job.npz", [3])
    killed, after = visited
    assert killed[0] == 0 < killed[-1]
    assert after[0] == killed[-1]


def test_latest_values_are_reported_when_asked_for(case):
    seen = []
    (trajectory,) = recorded(case, [0], report=lambda epoch, latest: seen.append((epoch, latest())))
    epoch, (values, finished, members) = seen[-1]
    assert (finished, members) == (1, 1)
    assert epoch >= trajectory.epoch[-1]
    assert set(values) == set(trajectory.curves)


def test_training_sets_are_recorded(case, trajectories):
    experiment, _, _ = case
    sets = experiment.training_sets([0, 1])
    for trajectory, own in zip(trajectories, sets, strict=True):
        np.testing.assert_array_equal(trajectory.train_indices, own.rows)
        assert_identical(trajectory.copied_from, own.copied_from) if own.copied_from is not None else None
    shared = np.array_equal(trajectories[0].train_indices, trajectories[1].train_indices)
    assert shared == (experiment.recipe.vary == "initialisation")


def test_only_the_first_seeds_keep_their_parameters():
    kept, dropped = recorded(FULL)
    assert kept.minimum.parameters["hidden_1"]["kernel"].shape == (6, 5)
    assert dropped.minimum.parameters is None


def with_bad_sample(case):
    """The case with infinite images, which seed 1 alone draws."""
    experiment = replace(case[0], data=replace(case[0].data, draw_seed=None))
    first, second = experiment.training_sets([0, 1])
    images = SUBSET.pool_images.copy()
    images[np.setdiff1d(second.rows, first.rows)] = np.inf
    return replace(experiment, subset=replace(SUBSET, pool_images=images)), *case[1:]


def test_seed_that_diverges_before_its_first_spectrum_has_none_and_ends_no_other(case, tmp_path):
    broken = with_bad_sample(case)
    good, bad = recorded(broken)
    assert (good.status, bad.status) == (OK, DIVERGED)
    assert good.spectrum.epoch.tolist() == list(case[1].spectrum_epochs)
    assert bad.epoch.tolist() == [0]
    assert bad.spectrum.eigenvalues.shape == (0, *good.spectrum.eigenvalues.shape[1:])
    assert bad.spectrum.ntk_trace.shape == (0, case[1].ntk_draws)
    killed = run_with_kills(
        lambda checkpoint: recorded(broken, checkpoint=checkpoint), tmp_path / "job.npz", [3]
    )
    assert_identical(killed, [good, bad])


def test_seed_that_diverges_after_a_spectrum_keeps_that(case):
    """One update leads beyond float32: the NTK after it, of which misalignments tell, is not finite."""
    (trajectory,) = recorded((*case[:2], 1e30), [0])
    assert trajectory.status == DIVERGED
    assert trajectory.spectrum.epoch.tolist() == [0]
    assert np.isfinite(trajectory.spectrum.eigenvalues).all()
    if case[1].alignments:
        assert np.isfinite(trajectory.spectrum.alignments["label_alignment"]).all()
        assert np.isnan(trajectory.spectrum.alignments["misalignment_basis_free"]).all()
    assert trajectory.minimum is None or trajectory.minimum.epoch == 0


def test_members_that_end_at_different_epochs_have_every_spectrum_up_to_the_window():
    experiment, measurement, _ = WINDOWED_BATCHES
    experiment = replace(
        experiment, data=replace(DATA, draw_seed=None), recipe=replace(experiment.recipe, vary="both")
    )
    found = recorded((experiment, measurement, 0.002), range(4))
    assert len({trajectory.epoch[-1] for trajectory in found}) > 1
    for trajectory in found:
        assert trajectory.status == OK
        assert trajectory.spectrum.epoch.tolist() == list(measurement.spectrum_epochs)


def test_seed_whose_minimum_is_at_the_last_epoch_is_unfinished():
    stop = Stop(30, 30, patience=1.5, max_epochs=40)
    experiment = replace(FULL[0], recipe=replace(RECIPE, stop=stop))
    (trajectory,) = recorded((experiment, MEASURED, 1e-4), [0])
    assert trajectory.status == UNFINISHED
    assert trajectory.epoch[-1] == 40


def test_full_batches_for_a_fixed_number_of_epochs():
    experiment = replace(FULL[0], recipe=replace(RECIPE, stop=FIXED))
    for trajectory in recorded((experiment, SPECTRA_ALONE, 0.006)):
        assert (trajectory.status, trajectory.epoch[-1]) == (OK, 12)
        assert trajectory.spectrum.epoch.tolist() == [0, 2, 12]
        assert trajectory.minimum is None


def test_more_ntk_samples_than_test_samples_raise():
    with pytest.raises(
        UnsuitableDataError, match="3 draws of 20 NTK samples need 60 test samples, there are 50"
    ):
        recorded((FULL[0], replace(MEASURED, ntk_samples=20, ntk_draws=3), 0.01))


def test_more_training_samples_than_the_pool_raise():
    with pytest.raises(UnsuitableDataError, match="cannot draw 41 training samples from a pool of 40"):
        recorded((replace(FULL[0], data=replace(DATA, train_samples=41)), MEASURED, 0.01))


def test_a_failed_spectrum_ends_the_job(monkeypatch):
    def broken(theta, of_theta_too=False):
        raise np.linalg.LinAlgError("no convergence")

    monkeypatch.setattr(snapshots, "spectra_of", broken)
    with pytest.raises(np.linalg.LinAlgError, match="no convergence"):
        recorded(FULL, [0])


def test_little_memory_takes_the_kernels_in_blocks_to_the_same_numbers():
    """A sample's pieces of J are far larger than that: blocks of one sample."""
    model, images = FULL[0].model, jnp.asarray(SUBSET.test_images[:4])
    blocks = ntk._blocks(StaticModel(model), initial_parameters(model, 6, 0), images, None, memory=10)
    assert len(blocks.starts) == 4
    (found,), (expected,) = recorded(FULL, [1], memory=10), recorded(FULL, [1])
    np.testing.assert_allclose(
        found.spectrum.eigenvalues, expected.spectrum.eigenvalues, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(found.ntk_trace, expected.ntk_trace)
    np.testing.assert_allclose(
        found.spectrum.spectral_position, expected.spectrum.spectral_position, rtol=1e-3
    )


def test_pool_is_left_alone():
    before = jax.tree.map(np.copy, (SUBSET.pool_images, SUBSET.pool_labels))
    recorded(CASES["mini-batches"], [0])
    np.testing.assert_array_equal(before[0], SUBSET.pool_images)
    np.testing.assert_array_equal(before[1], SUBSET.pool_labels)


@pytest.mark.parametrize("part", ["traces", "spectra"])
def test_seed_whose_ntk_is_not_finite_has_diverged(part, monkeypatch):
    """Losses may be finite then. At which rate this happens depends on the processor, so it is imitated."""

    def traces(*args):
        outputs, shares = ntk.outputs_and_layer_traces(*args)
        return outputs, jnp.inf * shares

    def spectra(*args):
        found = spectrum_workers.spectra_of(*args)
        return found._replace(eigenvalues=np.inf * found.eigenvalues)

    if part == "traces":
        monkeypatch.setattr(recorder, "outputs_and_layer_traces", traces)
    else:
        monkeypatch.setattr(snapshots, "spectra_of", spectra)
    experiment, _, rate = FULL
    (own,) = record(experiment, replace(SPECTRA_ALONE, trace_every=5), [0], rate)
    assert np.all(np.isfinite(own.curves["test_loss"]))
    assert np.all(np.isfinite(own.ntk_trace)) == (part == "spectra")
    assert np.all(np.isfinite(own.spectrum.eigenvalues)) == (part == "traces")
    assert own.status == DIVERGED
