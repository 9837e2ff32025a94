import pytest
from snakemake_logger_plugin_ntklens.closing import closing
from snakemake_logger_plugin_ntklens.plan import Place
from snakemake_logger_plugin_ntklens.run_state import Failure, RunState

from tests.support.progress_records import plan, run


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A run that is done, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    own = RunState(0.0)
    own.run = run(Place("Gallery", "results/x/gallery.html"))
    own.plan = plan()
    own.finished = {1, 2}
    return own


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_places_are_named_if_they_are_there(state, tmp_path):
    (tmp_path / "results/x/figures").mkdir(parents=True)
    assert closing(state, 60.0) == ["Done: 2 jobs in 1 min."]
    make(tmp_path, "results/x/figures/figure-2.json")
    assert closing(state, 60.0)[1] == "Figures  results/x/figures"
    make(tmp_path, "results/x/gallery.html")
    assert closing(state, 60.0)[1:3] == ["Figures  results/x/figures", "Gallery  results/x/gallery.html"]


def test_next_steps_fit_the_config(state, tmp_path):
    make(tmp_path, "results/x/figures/figure-2.json", "results/x/gallery.html")
    steps = closing(state, 60.0)[3:]
    assert "snakemake --configfile config/x.yaml --report" in steps[0]
    assert steps[0].startswith("Next     ")
    assert "ntklens trace results/x/figures/figure-2.json" in steps[1]
    assert steps[2] == "         edit config/x.yaml and start again: only what depends on a change runs"
    state.run = state.run._replace(config_files=())
    assert "--configfile" not in "".join(closing(state, 60.0))
    assert "edit config/config.yaml" in closing(state, 60.0)[-1]


def test_a_report_is_offered_once_all_of_it_is_made(state, tmp_path):
    make(tmp_path, "results/x/figures/figure-2.json")
    assert "--report" not in "".join(closing(state, 60.0))
    make(tmp_path, "results/x/gallery.html")
    assert "--report" in "".join(closing(state, 60.0))


def test_next_steps_name_the_archive_that_brought_the_config(state, tmp_path):
    make(tmp_path, "results/x/figures/figure-2.json", "results/x/gallery.html")
    given = ("precomputed=published/x y.zip",)
    state.run = state.run._replace(config_files=(), given=given, from_archive=True)
    text = "\n".join(closing(state, 60.0))
    assert "snakemake --config 'precomputed=published/x y.zip' --report report.html" in text
    assert "edit" not in text


def test_run_in_another_folder_names_folder_and_snakefile(state, tmp_path):
    make(tmp_path, "results/x/figures/figure-2.json", "results/x/gallery.html")
    state.run = state.run._replace(snakefile="/srv/ntk lens/Snakefile")
    lines = closing(state, 60.0)
    assert lines[1] == f"In       {tmp_path}"
    assert "snakemake --snakefile '/srv/ntk lens/Snakefile' --configfile config/x.yaml --report" in lines[4]
    assert lines[-1].startswith("         edit config/x.yaml")
    state.run = state.run._replace(config_files=())
    assert "edit" not in "".join(closing(state, 60.0))  # the default config is in the other folder


def test_run_without_figures_names_the_files_that_were_asked_for(state, tmp_path):
    targets = tuple(f"results/x/runs/{number}.h5" for number in range(6))
    make(tmp_path, *targets)
    state.plan = state.plan._replace(figures={}, targets=targets)
    first = [f"Results  {targets[0]}", *(f"         {path}" for path in targets[1:4])]
    assert closing(state, 60.0)[1:6] == [*first, "         and 2 more files"]


def test_long_lists_of_failures_are_cut(state):
    state.finished = set()
    state.failed = {number: Failure(f"job {number}", None, ()) for number in range(12)}
    lines = closing(state, 60.0)
    assert lines[0] == "12 jobs failed after 1 min, 0 of 2 jobs done."
    assert lines[1:12] == [*(f"  job {number}" for number in range(10)), "  and 2 more"]


def test_run_that_ended_early_without_a_failed_job(state):
    state.finished = {1}
    assert closing(state, 60.0)[0] == "The run ended early after 1 min, 1 of 2 jobs done."
