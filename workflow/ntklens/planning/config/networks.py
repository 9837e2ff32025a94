"""The config's section `networks`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from ntklens.networks.architectures import Initialisation, NetworkSettings, Parametrisation, Pooling
from ntklens.planning.config.base import NAME, Count, Layers, Section, key, names_checked


class Network(Section):
    """One network. Its width may be left to the studies."""

    hidden_layers: Layers = key(
        ..., "Dense layers of ReLU units before the linear output layer.", unit="layers"
    )
    width: Count | None = key(
        None,
        "Units of every hidden layer. null leaves it to the studies; the scaling studies always give a "
        "width.",
        unit="units",
    )
    convolutions: int = key(
        NetworkSettings.convolutions,
        "Convolutional layers before the dense ones, each with ReLU and pooling. 0 makes a dense network.",
        unit="layers",
        ge=0,
        le=1000,
    )
    filters: Count = key(
        NetworkSettings.filters, "Filters of every convolution. Only with convolutions.", unit="filters"
    )
    kernel_size: Count = key(
        NetworkSettings.kernel_size,
        "Side of a convolution's kernel. Images are padded to keep their size. Only with convolutions.",
        unit="pixels",
        stated=False,
    )
    pooling: Pooling = key(
        NetworkSettings.pooling,
        "How each convolution's output is halved: by pooling over 2×2 pixels, or not. Only with "
        "convolutions.",
        stated=False,
    )
    initialisation: Initialisation = key(
        NetworkSettings.initialisation, "Distribution of the initial kernels. Biases start at zero."
    )
    parametrisation: Parametrisation = key(
        NetworkSettings.parametrisation,
        "standard draws kernels with the initialisation's variance. ntk draws them with variance one and "
        "multiplies by the initialisation's standard deviation in the forward pass.",
        stated=False,
    )
    biases: bool = key(NetworkSettings.biases, "Whether layers have biases.", stated=False)

    def settings(self, width: int) -> NetworkSettings:
        """This network with so many units in every hidden layer."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return NetworkSettings(**{**own, "width": width})


CONVOLUTIONAL_KEYS = ("filters", "kernel_size", "pooling")

Networks = Annotated[
    Mapping[str, Network],
    Field(min_length=1, json_schema_extra={"propertyNames": {"pattern": f"^{NAME}$"}}),
    BeforeValidator(names_checked(NAME, "network")),
    AfterValidator(MappingProxyType),
]


def default_networks() -> Mapping[str, Network]:
    """The paper's networks."""
    dense = Network(hidden_layers=3, width=256, initialisation="xavier-uniform")
    convolutional = Network(convolutions=3, hidden_layers=1, width=64, initialisation="he-uniform")
    return MappingProxyType(
        {
            "three-layer": Network(hidden_layers=2),
            "four-layer": Network(hidden_layers=3),
            "dense": dense,
            "convolutional": convolutional,
        }
    )
