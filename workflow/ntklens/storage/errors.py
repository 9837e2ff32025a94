"""What is wrong with a file that a job reads or writes, in one sentence that names the file."""


class FileError(Exception):
    """A file is damaged, or another one than it should be. The message is one sentence for the user."""


class DamagedFileError(FileError):
    """A file does not hold what was written to it."""


class OtherFileError(FileError):
    """A whole file lies where another one belongs."""
