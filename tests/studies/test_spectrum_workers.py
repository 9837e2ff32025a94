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
    theta = np.diag([4.0, 9.0])
    assert spectra_of(theta).ntk_eigenvalues is None
    spectra = spectra_of(theta, of_theta_too=True)
    assert spectra.ntk_trace == 13
    np.testing.assert_allclose(spectra.eigenvalues, [1, 1])
    np.testing.assert_allclose(spectra.ntk_eigenvalues, [4, 9])


def test_resolved_future_has_its_result():
    assert resolved(3).result() == 3


def test_failure_of_a_task_is_its_futures(capsys):
    with SpectrumWorkers(1) as workers:
        future = workers.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        future.result()
