"""A headless Chromium for tests of pages. Selenium is told where it lies, so that it downloads nothing."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PATIENCE = 60  # seconds, on a busy machine


@contextmanager
def chromium(folder: Path) -> Iterator[Chrome]:
    """A fresh Chromium with its data in ``folder``. Skips where there is no Chromium or no chromedriver."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no chromium with chromedriver is installed (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = browser
    for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'chromium'}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        chrome.get("about:blank")
        requests(chrome)  # those of the page with which Chromium starts
        chrome.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
        )
        yield chrome
    finally:
        chrome.quit()


def resize(chrome: Chrome, width: int, height: int, phone: bool = False) -> None:
    """Give the page the size of a screen."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def prefer(chrome: Chrome, scheme: str) -> None:
    """Make the reader prefer a ``light`` or a ``dark`` page."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def wait_for(found: Callable[[], Any]) -> Any:
    """What ``found`` returns once that is true. Fails after `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not found within {PATIENCE} s")


def errors(chrome: Chrome) -> list[str]:
    """The errors in the browser's console since the last call."""
    return [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]


def requests(chrome: Chrome) -> list[str]:
    """The addresses that pages asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    sent = [own["params"] for own in messages if own["method"] == "Network.requestWillBeSent"]
    return [own["request"]["url"] for own in sent]
