from ntklens.kernel.ntk import layer_kernels, ntk_matrix, ntk_trace
from ntklens.spectrum.effective_rank import effective_rank
from ntklens.spectrum.eigenvalues import normalised
from ntklens.storage.run_files import read_run

__version__: str
__all__ = ["effective_rank", "layer_kernels", "normalised", "ntk_matrix", "ntk_trace", "read_run"]
