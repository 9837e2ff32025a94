"""How a seed's training ended: the attribute ``status`` of its group in a run file."""

OK = "ok"
DIVERGED = "diverged"
UNFINISHED = "minimum at the last epoch"
