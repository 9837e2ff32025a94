"""Names of targets: Snakemake matches exactly the files that a config makes, each in one rule."""

import pytest
from hypothesis import given

from tests.fuzz.draws import strategy
from tests.fuzz.outcomes import Outcome
from tests.fuzz.target_names import CASES, invented, target_names
from tests.support.snakefile import products


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request, tmp_path_factory):
    """A case, its files, and the products of the Snakefile's rules that have wildcards."""
    own = request.param
    made = products(own.config, tmp_path_factory.mktemp(own.name))
    return own, set(own.files()), [product for product in made if "{" in product.pattern]


def outcome_of(name, files, made):
    """A target must be made by one rule, and every other name by none."""
    makers = [product.rule for product in made if product.kind == "output" and product.matches(name)]
    if name in files:
        return Outcome.RIGHT if len(makers) == 1 else Outcome.WRONG
    return Outcome.WRONG if makers else Outcome.REFUSED


def test_every_file_of_the_config_is_a_target_of_one_rule(case):
    own, files, made = case
    assert {name: outcome_of(name, files, made) for name in files} == dict.fromkeys(files, Outcome.RIGHT)
    with_curves = [product for product in made if "study" in product.pattern and product.kind != "output"]
    logs = [
        f"results/{own.name}/logs/train/{'-'.join(next(iter(own.runs)).split('/'))}-width-8-seeds-0-1.log"
    ]
    assert not [name for name in logs for product in with_curves if product.matches(name)]


def test_no_combination_of_names_is_a_target_but_those_of_the_config(case):
    own, files, made = case
    wrong = [name for name in invented(own) if outcome_of(name, files, made) is Outcome.WRONG]
    assert wrong == []


@pytest.mark.parametrize("own", CASES, ids=lambda case: case.name)
def test_name_like_a_target_is_one_only_if_the_config_makes_it(tally, tmp_path, own):
    files = set(own.files())
    made = [product for product in products(own.config, tmp_path) if "{" in product.pattern]
    count = tally("target name")

    @given(strategy(target_names(own)))
    def check(name):
        outcome = outcome_of(name, files, made)
        count(outcome)
        assert outcome is not Outcome.WRONG, repr(name)

    check()
