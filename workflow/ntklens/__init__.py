"""The neural tangent kernel of networks in training: its trace, its spectrum, their scaling."""
