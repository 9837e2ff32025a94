from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from ntklens.storage.averages import Average, Mean, write_averages
from ntklens.storage.hdf5 import add_dataset, new_file
from ntklens.storage.inspection import describe
from ntklens.storage.provenance import code_record
from ntklens.storage.quantities import ALIGNMENTS
from ntklens.storage.run_files import DIVERGED, OK, Minimum, Spectrum, Trajectory
from ntklens.storage.run_writer import write_run

from tests.support.commands import ntklens
from tests.support.origins import origin

WORKFLOW = Path(__file__).parents[2] / "workflow"
ATTRIBUTES = {
    **origin("run"),
    "settings": {"scale": 8, "optimizer": {"b1": 0.9, "b2": 0.999}},
    "commit": "0123abcd",
    "versions": {"jax": "0.9.1"},
    "inputs": {"results/small/subsets/digits.h5": "ff00"},
    "seeds": [0, 1],
    "learning_rate": 0.0025,
}


def trajectory(seed, status=OK, initial_trace=2.0, minimum_trace=5.0, eigenvalues=(1.0, 1.0, 1.0, 1.0)):
    """Six epochs, the minimum at epoch 4."""
    return Trajectory(
        seed=seed,
        status=status,
        epoch=np.arange(6, dtype=np.int32),
        test_epoch=np.arange(6, dtype=np.int32),
        curves={
            "train_loss": np.linspace(2, 1, 6, dtype=np.float32),
            "test_loss": np.array([2.3, 2.0, 1.5, 1.3, 1.25, 1.4], np.float32),
            "train_accuracy": np.linspace(0, 1, 6, dtype=np.float32),
            "test_accuracy": np.linspace(0, 0.5, 6, dtype=np.float32),
        },
        trace_epoch=np.array([0, 2, 4], np.int32),
        ntk_trace=np.array([initial_trace, 3, minimum_trace], np.float32),
        layers=("output",),
        layer_traces=np.array([[initial_trace], [3], [minimum_trace]], np.float32),
        spectrum=Spectrum(
            epoch=np.array([0, 4], np.int32),
            eigenvalues=np.array([[eigenvalues], [eigenvalues]], np.float32),
            ntk_trace=np.ones((2, 1)),
            loss_susceptibility=np.ones((2, 1)),
            spectral_position=np.ones((2, 1)),
            alignments={name: np.zeros((2, 1)) for name in ALIGNMENTS},
        ),
        minimum=Minimum(
            epoch=4,
            train_loss=1.2,
            test_loss=1.25,
            ntk_trace=minimum_trace,
            eigenvalues=np.array(eigenvalues, np.float32),
            ntk_eigenvalues=np.array([0, 1, 1, 3], np.float32),
            loss_susceptibility=0.25,
            spectral_position=0.5,
            parameters={"output": {"kernel": np.zeros((3, 2), np.float32)}} if seed == 0 else None,
        ),
        train_indices=np.array([7, 3, 5]),
    )


@pytest.fixture
def run_file(tmp_path):
    path = tmp_path / "seeds-0-1.h5"
    broken = trajectory(1, DIVERGED, minimum_trace=np.nan, eigenvalues=(np.nan,) * 4)
    write_run(path, [trajectory(0), broken], ATTRIBUTES)
    return path


@pytest.mark.parametrize(
    ("roots", "changes", "expected"),
    [
        (["train.py", "ntklens.training.full_batch"], {}, "by the present code"),
        (
            ["train.py", "ntklens.training.full_batch"],
            {"code_sha256": "ff" * 32},
            "by other code than the present one: commit 0123abcd, code ffffffffffff",
        ),
        (
            ["train.py"],
            {"code_roots": ["train.py", "ntklens.training.gone"]},
            "by other code than the present one: commit 0123abcd, code ",
        ),
    ],
    ids=["present", "other", "a module is gone"],
)
def test_run_files_code_is_compared_with_the_present_code(tmp_path, roots, changes, expected):
    path = tmp_path / "run.h5"
    script, *modules = roots
    code = code_record(WORKFLOW / "scripts" / script, *modules)
    write_run(path, [trajectory(0)], {**ATTRIBUTES, **code, **changes})
    assert line_with(describe(path), "made ").startswith(f"made {expected}")


def line_with(lines, start):
    """The only line that begins with ``start``, blanks aside."""
    (line,) = [line for line in lines if line.strip().startswith(start)]
    return line.strip()


def test_first_line_names_file_and_kind(run_file):
    assert (
        describe(run_file)[0]
        == f"{run_file}: training trajectories of one batch of seeds, one group for each seed"
    )


def test_provenance_is_named_without_json_quotes(run_file):
    lines = describe(run_file)
    assert line_with(lines, "settings:") == "settings: scale 8, optimizer (b1 0.9, b2 0.999)"
    assert line_with(lines, "commit") == "commit: 0123abcd"
    assert line_with(lines, "versions") == "versions: jax 0.9.1"
    assert line_with(lines, "inputs") == "inputs: results/small/subsets/digits.h5 ff00"
    assert line_with(lines, "seeds:") == "seeds: 0 1"
    assert line_with(lines, "learning_rate") == "learning_rate: 0.0025"


def seed_row(lines, seed):
    """Status and numbers: last epoch, the minimum's, test loss, trace there and at 0, β, Γ."""
    _, status, *numbers = line_with(lines, f"{seed:04d} ").split()
    return status, [float(number) for number in numbers]


def test_seed_row_holds_status_and_key_quantities(run_file):
    status, numbers = seed_row(describe(run_file), 0)
    assert status == "ok"
    assert numbers == [5, 4, 1.25, 5, 2, 5 / 2 - 1, 4]  # Γ of four equal eigenvalues


def test_seed_row_of_a_diverged_seed_says_so(run_file):
    status, numbers = seed_row(describe(run_file), 1)
    assert status == "diverged"
    np.testing.assert_array_equal(numbers, [5, 4, 1.25, np.nan, 2, np.nan, np.nan])


def test_columns_stand_under_their_names(run_file):
    lines = describe(run_file)
    header, row = (next(line for line in lines if word in line) for word in ("  seed ", "  0000 "))
    assert len(header) == len(row)
    assert header.index("status") == row.index("ok")


LAST = {"train_loss": 0.0, "test_loss": 0.25, "train_accuracy": 0.5, "test_accuracy": 0.75}


def without_minimum(seed, spectra=2, **changes):
    """One eigenvalue of two at first, two at the end, in both draws."""
    eigenvalues = np.array([[[0, 2], [0, 2]], [[1, 1], [1, 1]]], np.float32)
    trajectory = Trajectory(
        seed=seed,
        status=OK,
        epoch=np.array([0, 40], np.int32),
        test_epoch=np.array([0, 40], np.int32),
        curves={name: np.array([0.0, last], np.float32) for name, last in LAST.items()},
        trace_epoch=np.empty(0, np.int32),
        ntk_trace=np.empty(0, np.float32),
        layers=(),
        layer_traces=np.empty((0, 0), np.float32),
        spectrum=Spectrum(
            np.array([0, 40])[:spectra], eigenvalues[:spectra], *3 * [np.ones((2, 2))[:spectra]]
        ),
        train_indices=np.arange(2),
        copied_from=np.arange(2),
    )
    return replace(trajectory, **changes)


def seed_table(path):
    """The names of the columns and the rows below them, as words."""
    lines = describe(path)
    header = next(i for i, line in enumerate(lines) if line.split()[:2] == ["seed", "status"])
    return lines[header].split()[3:], [
        line.split() for line in lines[header + 1 : lines.index("content") - 1]
    ]


AT_THE_END = ["test", "loss", "train", "acc", "test", "acc", "Gamma", "0", "Gamma"]


def test_seeds_without_a_minimum_have_their_last_values(tmp_path):
    path = tmp_path / "noise.h5"
    write_run(path, [without_minimum(3), without_minimum(4, spectra=0, status=DIVERGED)], origin("run"))
    assert seed_table(path) == (
        AT_THE_END,
        [
            ["0003", "ok", "40", "0.25", "0.5", "0.75", "1", "2"],
            ["0004", "diverged", "40", "0.25", "0.5", "0.75", "nan", "nan"],
        ],
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_seeds_of_which_one_lacks_a_minimum_have_their_last_values(tmp_path, order):
    path = tmp_path / "mixed.h5"
    with_one, without = order
    write_run(path, [trajectory(with_one), without_minimum(without)], origin("run"))
    header, rows = seed_table(path)
    assert header == AT_THE_END
    assert rows[with_one][3:] == ["1.4", "1", "0.5", "4", "4"]
    assert rows[without][3:] == ["0.25", "0.5", "0.75", "1", "2"]


def test_averages_are_told_by_their_tree(tmp_path):
    path = tmp_path / "curve.h5"
    loss = Mean(np.array([0, 1]), np.array([2.0, 1.0]), np.zeros(2))
    write_averages(
        path, [Average(64, np.array([0, 1, 2]), (), 1, {"test_loss": loss}, {})], origin("averages")
    )
    lines = describe(path)
    assert lines[lines.index("provenance") + 1 : lines.index("content") - 1] == [
        "  commit: 0123abcd",
        "  inputs: ",
        "  kind: averages",
        "  schema: 1",
        "  settings: ",
        f"  settings_sha256: {origin('averages')['settings_sha256']}",
        "  versions: ",
    ]
    assert lines[lines.index("content") :] == [
        "content",
        "  scale-000064/  one point of the curve",
        "    seeds  3 int64  seeds that were averaged",
        "    test_loss/  mean cross-entropy of the test samples, averaged over members",
        "      epoch  2 int64  passes over the training samples so far [epoch]",
        "      error  2 float64  standard error of the mean [nat]",
        "      mean  2 float64  mean cross-entropy of the test samples [nat]",
        "      mean_errors  2 float64  standard error of the mean [nat]",
    ]


def test_content_names_shapes_types_and_units(run_file):
    lines = describe(run_file)
    first = lines[lines.index("content") + 1 :]
    first = first[: next(i for i, line in enumerate(first) if line.startswith("  seed-0001/"))]
    assert first[0] == "  seed-0000/  one seed, from its initialisation"
    text = line_with(first, "test_loss  6")
    assert text == "test_loss  6 float32  mean cross-entropy of the test samples [nat]"
    assert (
        line_with(first, "train_indices")
        == "train_indices  3 int64  rows of the pool that the seed trained on"
    )
    assert line_with(first, "eigenvalues  2").startswith("eigenvalues  2×1×4 float32")
    assert line_with(first, "kernel").startswith("kernel  3×2 float32")
    assert line_with(first, "epoch  =") == "epoch  = 4  passes over the training samples so far [epoch]"
    assert line_with(first, "test_loss  =").startswith("test_loss  = 1.25  ")


def test_file_without_seeds_has_no_seed_table(tmp_path):
    with new_file(tmp_path / "data.h5", "two numbers") as file:
        add_dataset(file, "values", [1.0, 2.0], "both of them")
        file.attrs["classes"] = 10
    assert describe(tmp_path / "data.h5") == [
        f"{tmp_path / 'data.h5'}: two numbers",
        "",
        "provenance",
        "  classes: 10",
        "",
        "content",
        "  values  2 float64  both of them",
    ]


def test_what_other_programs_write_is_shown_too(tmp_path):
    """HDF5 has much that no file of the workflow holds."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["comment"] = "[draft] not yet checked"
        file.attrs["brace"] = "{"
        file.attrs["deep"] = 100_000 * "["
        file.attrs["nothing"] = h5py.Empty("f")
        file["title"] = "Größe\nof all"
        file["latin"] = np.bytes_(b"Gr\xf6\xdfe")
        file["blob"] = np.void(b"\x00\x01\x02")
        file["flag"] = np.True_
        file["complex"] = 1 + 2j
        file["pair"] = np.array((1, 2.0), dtype=[("a", "i4"), ("b", "f8")])
        file["gone"] = h5py.SoftLink("/nowhere")
        file["elsewhere"] = h5py.ExternalLink("none.h5", "/data")
        file["empty"] = h5py.Empty("f")
        file["values"] = [1.0, 2.0]
        file["values"].attrs["units"] = ["m", "s"]
        file["group/back"] = h5py.SoftLink("/")
    lines = describe(tmp_path / "other.h5")
    assert line_with(lines, "comment") == "comment: [draft] not yet checked"
    assert line_with(lines, "brace") == "brace: {"
    assert line_with(lines, "deep").startswith("deep: [[")
    assert line_with(lines, "nothing") == "nothing: empty"
    assert lines[lines.index("content") + 1 :] == [
        "  blob  scalar |V3  ",
        "  complex  = 1+2j  ",
        "  elsewhere  -> none.h5:/data",
        "  empty  empty float32  ",
        "  flag  scalar bool  ",
        "  gone  -> /nowhere",
        "  group/  ",
        "    back  -> /",
        "  latin  = Gr\ufffd\ufffde  ",
        "  pair  scalar [('a', '<i4'), ('b', '<f8')]  ",
        "  title  = Größe of all  ",
        "  values  2 float64   [['m' 's']]",
    ]


def test_command_prints_the_description(run_file):
    result = ntklens("inspect", run_file.name, cwd=run_file.parent)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1:] == describe(run_file)[1:]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere.h5", "No such file"),
        ("text.h5", "file signature"),
        ("folder", "no regular file"),
    ],
)
def test_command_on_what_is_no_hdf5_file_exits_with_one_line(tmp_path, name, reason):
    (tmp_path / "text.h5").write_text("this is no HDF5 file\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    result = ntklens("inspect", name, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"inspect {name}: ")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_command_on_a_truncated_file_exits_with_one_line(run_file):
    content = run_file.read_bytes()
    run_file.write_bytes(content[: len(content) // 2])
    result = ntklens("inspect", run_file.name, cwd=run_file.parent)
    assert result.returncode == 1
    assert "seeds-0-1.h5 is damaged" in result.stderr
    assert len(result.stderr.splitlines()) == 1
