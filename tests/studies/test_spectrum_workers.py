import threading

import numpy as np
import pytest
from ntklens.studies.spectrum_workers import SpectrumWorkers, resolved, spectra_of


def test_tasks_that_wait_for_a_worker_are_few():
    """With one thread that does not get on, a third task has to wait outside."""
    may_go_on = threading.Event()
    submitted = []

    def submit_three(workers):
        for number in range(3):
            workers.submit(may_go_on.wait, 10)
            submitted.append(number)

    with SpectrumWorkers(1) as workers:
        caller = threading.Thread(target=submit_three, args=[workers])
        caller.start()
        caller.join(0.3)
        assert submitted == [0, 1]
        may_go_on.set()
        caller.join(10)
    assert submitted == [0, 1, 2]


def test_spectra_are_of_the_normalised_kernel_and_of_the_kernel_where_asked_for():
    """From the lower triangle: Θ has eigenvalues 4 ± 2; Θ̂, with 2 / 4 beside the diagonal, 1 ± 1/2."""
    theta = np.array([[4.0, 99.0], [2.0, 4.0]])
    assert spectra_of(theta).ntk_eigenvalues is None
    spectra = spectra_of(theta, of_theta_too=True)
    assert spectra.ntk_trace == 8
    np.testing.assert_allclose(spectra.eigenvalues, [0.5, 1.5])
    np.testing.assert_allclose(spectra.ntk_eigenvalues, [2, 6])


def test_resolved_future_has_its_result():
    assert resolved(3).result() == 3


def test_task_that_fails_makes_room_for_others_and_its_failure_is_its_futures():
    with SpectrumWorkers(1) as workers:
        failed = [workers.submit(lambda: 1 / 0) for _ in range(5)]
        assert workers.submit(pow, 2, 3, mod=5).result(10) == 3
    for future in failed:
        with pytest.raises(ZeroDivisionError):
            future.result()
