"""Draw figure 5: trace and adaptation rate of the NTK against the train loss, on every dataset."""

from ntklens.figures.dataset_grid import make_figure


def main(argv=None):
    make_figure("5", __doc__, argv)


if __name__ == "__main__":
    main()
