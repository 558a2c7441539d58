"""The errors that reach the user as one sentence; anything else is a bug and shows as one."""


class GnnvizError(Exception):
    """An error with a sentence for the user: what was got, what is allowed, how to go on."""


class ConfigError(GnnvizError, ValueError):
    """A model, training or run configuration holds a value that is not allowed."""


class DatasetError(GnnvizError, ValueError):
    """A graph, a dataset's name or one of its files cannot be used."""


class RunError(GnnvizError):
    """A run or its folder cannot be read, written, started or found."""


class EngineError(GnnvizError):
    """The background engine cannot be started or reached, or lost a task."""
