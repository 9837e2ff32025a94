"""With keep_runs, edited code leaves subsets, learning rates and run files alone."""

import json

import h5py

from tests.workflow.test_dag import AFTER_NOISE, AFTER_SCALING, NOISE_RUNS, SCALING_RUNS, change_config

KEEP = ("--config", "keep_runs=True")
MADE_ONCE = {"fetch", "subsample", "calibrate", "train"}
RUN = "results/smoke/runs/noise-scaling/digits/dense/removed-50/seeds-0-0.h5"
KEPT = RUN.replace("removed-50", "removed-0")


def edit(repository, file, text="\n# edited\n"):
    path = repository / "workflow" / file
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_comment_retrains_unless_runs_are_kept(edited):
    edit(edited, "ntklens/kernel/ntk.py")
    assert edited.jobs()["train"] == SCALING_RUNS + NOISE_RUNS
    assert edited.jobs(*KEEP) == {}
    assert edited.jobs("--config", "keep_runs=true") == {}
    change_config(edited, lambda config: config.update(keep_runs=True))
    assert edited.jobs() == {}


def test_nothing_that_an_edit_can_do_to_imports_reruns_kept_files(edited):
    """An input that is only older than its output still reruns a job when it is new in the list of inputs."""
    for file in ("scripts/fetch.py", "scripts/subsample.py", "scripts/calibrate.py", "scripts/train.py"):
        edit(edited, file, "\nimport ntklens.costs.prices\n")
    assert set(edited.jobs()) >= MADE_ONCE
    assert edited.jobs(*KEEP) == {}


def test_kept_files_follow_their_settings_and_the_analysis_its_code(edited):
    edit(edited, "ntklens/training/full_batch.py")
    edit(edited, "ntklens/analysis/averages.py")
    assert set(edited.jobs(*KEEP)) == {"aggregate", *AFTER_SCALING, *AFTER_NOISE}
    assert set(edited.jobs(*KEEP, "ntk_samples=8")) == {
        "train",
        "infinite_width",
        *AFTER_SCALING,
        *AFTER_NOISE,
    }
    (edited / RUN).unlink()
    assert edited.jobs(*KEEP)["train"] == 1


def test_new_run_beside_kept_ones_is_recorded_to_the_figure(edited):
    edit(edited, "ntklens/kernel/ntk.py")
    change_config(edited, lambda config: config.update(keep_runs=True))
    for targets in (("--force", "--", RUN), ("--", "figure_4", "figure_7")):
        result = edited.snakemake(*targets)
        assert result.returncode == 0, result.stdout + result.stderr
    old, new = (digest(edited, run) for run in (KEPT, RUN))
    assert old != new
    log = (edited / "results/smoke/logs/aggregate/noise-scaling-digits-dense.log").read_text(encoding="utf-8")
    assert "the run files were made by different code: removed-0 by commit unknown" in log
    assert {old, new} <= run_code(edited, "4")
    assert "made by the present code" in inspected(edited, RUN)
    assert f"made by other code than the present one: commit unknown, code {old[:12]}" in inspected(
        edited, KEPT
    )
    # Without the key, what other code made is remade, and nothing else.
    assert edited.jobs("--config", "keep_runs=False")["train"] == SCALING_RUNS + NOISE_RUNS - 1


def test_record_of_code_stays_while_another_call_depends_on_it(repository):
    """Otherwise jobs of that call, which run the former code, would end after the record of the new code."""
    record, lock = "results/datasets/code/fetch/all.json", repository / ".snakemake/locks/0.input.lock"
    for path, text in ((repository / record, "{}"), (lock, f"workflow/scripts/fetch.py\n{record}\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    arguments = ("--", "results/datasets/digits.h5")
    assert repository.jobs(*arguments) == {"fetch": 1}
    assert (repository / record).read_text(encoding="utf-8") == "{}"
    lock.unlink()
    assert repository.jobs(*arguments) == {"fetch": 1}
    assert "scripts/fetch.py" in json.loads((repository / record).read_text(encoding="utf-8"))


def digest(repository, run):
    with h5py.File(repository / run) as file:
        return file.attrs["code_sha256"]


def inspected(repository, file):
    return repository.run("python", "-m", "ntklens", "inspect", file, PYTHONPATH="workflow").stdout


def run_code(repository, figure):
    """The digests of the code behind one figure."""
    content = json.loads(
        (repository / f"results/smoke/figures/figure-{figure}.json").read_text(encoding="utf-8")
    )
    return {code["code_sha256"] for code in content["provenance"]["run_code"]}
