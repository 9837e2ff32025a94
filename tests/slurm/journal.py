"""What happened on the cluster during the tests, to be read at their end."""

import time

LINES = []


def note(text):
    LINES.append(f"{time.strftime('%H:%M:%S')}  {text}")
