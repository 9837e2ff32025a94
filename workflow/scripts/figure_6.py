"""Draw figure 6: effective rank of the NTK against the train loss, on every dataset."""

from ntklens.figures.dataset_grid import make_figure


def main(argv=None):
    make_figure("6", __doc__, argv)


if __name__ == "__main__":
    main()
