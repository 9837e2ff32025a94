"""What a file is: readers take the file that they asked for, and name any other."""

import pytest
from ntklens.storage.errors import OtherFileError
from ntklens.storage.identity import check_identity, described

from tests.support.origins import origin

CURVE = {"study": "deep", "dataset": "digits", "network": "dense"}


def test_the_file_asked_for_passes():
    own = origin("averages", {"curve": CURVE})
    check_identity("a.h5", own, "averages", own["settings_sha256"])
    check_identity("a.h5", own, "averages", None)


@pytest.mark.parametrize(
    ("own", "wrong"),
    [
        ({}, "was written by another version of ntk-lens"),
        (origin("run", schema=0), "was written by another version of ntk-lens"),
        (
            origin("run", {"curve": CURVE, "scale": 8}, seeds=[4, 5]),
            "is not the file that belongs there, it holds 'run of deep/digits/dense at scale 8, "
            "seeds 4 to 5' instead of a file of the kind 'averages'",
        ),
        (
            origin("averages", {"curve": CURVE}),
            "is not the file that belongs there, it holds 'averages of deep/digits/dense', made "
            "with other settings than those of the present config",
        ),
    ],
)
def test_any_other_file_is_named_with_what_it_is(own, wrong):
    with pytest.raises(OtherFileError, match=f"^folder/a.h5 {wrong}: delete it, and start again"):
        check_identity("folder/a.h5", own, "averages", "ab" * 32)


def test_a_file_is_described_by_its_dataset_or_figure():
    assert described(origin("subset", {"dataset": "digits"})) == "subset of digits"
    assert described(origin("figure", {"figure": "3"})) == "figure of 3"
    assert described(origin("verification", {"tolerance": 1e-4})) == "verification"
