"""HDF5 files whose every group and dataset says what it holds, in which units."""

import io
import json
from contextlib import contextmanager

import h5py
import numpy as np

from ntklens.storage.files import whole_file
from ntklens.storage.quantities import QUANTITIES


@contextmanager
def new_file(path, description):
    """An HDF5 file open for writing, which appears at ``path`` only when the block ends well.

    Until then it is in memory, and Python writes it: HDF5's library may end the process where a disk is full.
    """
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["description"] = description
        yield file
    with whole_file(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def add_attributes(file, attributes):
    """Store ``attributes``, dictionaries and lists as JSON."""
    for name, value in attributes.items():
        file.attrs[name] = json.dumps(value) if isinstance(value, dict | list) else value


def add_group(parent, name, description):
    group = parent.create_group(name)
    group.attrs["description"] = description
    return group


def add_dataset(parent, name, values, description, units="1"):
    """Store ``values``, arrays compressed by gzip; ``units`` is "1" for a pure number."""
    values = np.asarray(values)
    # HDF5 compresses in chunks, which a scalar or an empty array cannot have.
    compression = "gzip" if values.size > 1 else None
    dataset = parent.create_dataset(name, data=values, compression=compression)
    dataset.attrs["description"] = description
    dataset.attrs["units"] = units
    return dataset


def add_quantity(parent, name, values, as_name=None, description=None):
    """Store ``values`` of the quantity ``name``, with what the table of quantities says of it.

    ``as_name`` is another name for the dataset, ``description`` another text.
    """
    quantity = QUANTITIES[name]
    return add_dataset(parent, as_name or name, values, description or quantity.description, quantity.unit)
