import h5py
import pytest
from ntklens.storage.curve import Curve
from ntklens.storage.hdf5 import add_attributes, new_file
from ntklens.storage.run_identity import RunIdentityError, check_runs, place_of

CURVE = Curve("model-scaling", "digits", "dense")
POINTS = {"width-8": 8, "width-16": 16}


@pytest.fixture
def run(tmp_path):
    """Writes a run file of these seeds, right in all other ways but for ``settings`` and ``inputs``."""

    def write(place, seeds, inputs="ff00", **settings):
        path = tmp_path / place
        path.parent.mkdir(exist_ok=True)
        own = {"curve": CURVE._asdict(), "scale": POINTS[path.parent.name], **settings}
        with new_file(path, "a run file") as file:
            add_attributes(file, {"settings": own, "inputs": {"subset.h5": inputs}, "seeds": seeds})
        return path

    return write


def test_runs_in_their_places_pass(run):
    """Points may differ in settings and inputs, and share seeds."""
    paths = [
        run("width-8/seeds-0-1.h5", [0, 1], width=8),
        run("width-8/seeds-2-3.h5", [2, 3], width=8),
        run("width-16/seeds-0-1.h5", [0, 1], inputs="0123", width=16),
    ]
    check_runs(paths, CURVE, POINTS)
    check_runs([str(path) for path in reversed(paths)], CURVE, POINTS)
    check_runs([], CURVE, POINTS)


@pytest.mark.parametrize(
    ("other", "wrong"),
    [
        ({"seeds": [2, 3], "scale": 16}, "it holds scale 16, not 8"),
        (
            {"seeds": [2, 3], "curve": CURVE._replace(dataset="mnist")._asdict()},
            r"it holds curve .*mnist.*, not .*digits.*",
        ),
        ({"seeds": [2, 3], "recipe": {}}, r"its settings are not those of .*seeds-0-1\.h5"),
        ({"seeds": [2, 3], "inputs": "0123"}, r"its inputs are not those of .*seeds-0-1\.h5"),
        ({"seeds": [1, 2]}, r"it holds seed 1, which .*seeds-0-1\.h5 holds too"),
    ],
    ids=["scale", "curve", "settings", "inputs", "seed"],
)
def test_run_file_that_belongs_elsewhere_is_named(run, other, wrong):
    paths = [run("width-8/seeds-0-1.h5", [0, 1]), run("width-8/seeds-2-3.h5", **other)]
    message = rf"seeds-2-3\.h5 is not the run file that belongs there: {wrong}\. Delete it, and start again"
    with pytest.raises(RunIdentityError, match=message):
        check_runs(paths, CURVE, POINTS)


def test_file_in_no_points_folder_is_refused(run):
    path = run("width-8/seeds-0-1.h5", [0, 1])
    with pytest.raises(RunIdentityError, match=r"seeds-0-1\.h5 lies in no folder of a point: .* width-16$"):
        check_runs([path], CURVE, {"width-4": 4, "width-16": 16})


def empty(path):
    path.write_text("")


def text(path):
    path.write_text("no HDF5 file")


def missing(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def no_run(path):
    with h5py.File(path, "a") as file:
        del file.attrs["settings"]


def no_json(path):
    with h5py.File(path, "a") as file:
        file.attrs["settings"] = "{scale: 8}"


def no_curve(path):
    with h5py.File(path, "a") as file:
        file.attrs["settings"] = "{}"


def number(path):
    with h5py.File(path, "a") as file:
        file.attrs["seeds"] = 5


@pytest.mark.parametrize("damage", [empty, text, missing, cut, no_run, no_json, no_curve, number])
def test_file_that_is_no_run_cannot_be_read(run, damage):
    path = run("width-8/seeds-0-1.h5", [0, 1])
    damage(path)
    with pytest.raises(RunIdentityError, match=r"seeds-0-1\.h5 is not the run file .*: it cannot be read \("):
        check_runs([path], CURVE, POINTS)


def test_a_run_file_tells_its_place(run, tmp_path):
    assert place_of(run("width-16/seeds-0-1.h5", [0, 1])) == (CURVE, 16)
    with pytest.raises(RunIdentityError, match="cannot be read"):
        place_of(tmp_path / "missing.h5")
