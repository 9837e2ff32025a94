"""The tests are a package: as a mere folder they would come after an installed package called `tests`."""
