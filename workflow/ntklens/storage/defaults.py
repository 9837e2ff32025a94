"""The mark of settings that are written only where they differ from their default.

A setting can so be added, and what does not use it need not run again.
"""

UNLESS_DEFAULT = {"written": "unless it is the default"}
