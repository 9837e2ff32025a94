"""Draw figure 7: train and test accuracy against epochs, by how much of the training set was replaced."""

from ntklens.figures.noise import make_figure


def main(argv=None):
    make_figure("7", __doc__, argv)


if __name__ == "__main__":
    main()
