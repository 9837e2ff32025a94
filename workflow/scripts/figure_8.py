"""Draw figure 8: label alignment and misalignment of the NTK against the train loss, on every dataset."""

from ntklens.figures.dataset_grid import make_figure


def main(argv=None):
    make_figure("8", __doc__, argv)


if __name__ == "__main__":
    main()
