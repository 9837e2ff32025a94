"""A journal of events on the cluster during the tests, printed at their end."""

import time

LINES = []


def note(text):
    LINES.append(f"{time.strftime('%H:%M:%S')}  {text}")
