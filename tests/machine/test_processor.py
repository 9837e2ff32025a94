"""The names of a processor."""

from unittest.mock import Mock

from ntklens.machine import processor


def test_processor_without_a_model_name(monkeypatch):
    """As on some Arm machines."""
    cpuinfo = Mock(exists=lambda: True, read_text=lambda encoding: "Features : fp asimd\n")
    monkeypatch.setattr(processor, "Path", lambda path: cpuinfo)
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert processor.model() == "aarch64"


def test_processor_has_a_name_that_is_fit_for_a_folder():
    assert processor.instruction_set() == processor.instruction_set()
    assert set("/\\ ").isdisjoint(processor.instruction_set())
