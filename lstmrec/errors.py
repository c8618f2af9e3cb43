"""The product's named errors. Each message is one line: what is wrong, where, and what to do."""


class LstmrecError(Exception):
    """A mistake the user can mend; jobs print its one line and exit with code 2."""


class BadConfig(LstmrecError):
    """A key of the configuration is unknown, missing or out of range."""


class BadInput(LstmrecError):
    """A path, a file or a flag given by the user is not what the job needs."""


class BrokenContract(LstmrecError):
    """Rows about to be written, or a table about to be read, break what the table promises."""


class Refused(LstmrecError):
    """What was made is not good enough to be published; what is published stays."""


class WrittenMeanwhile(LstmrecError):
    """Another run wrote to the same rows of a table at the same time, and was first."""


class Diverged(LstmrecError):
    """A training came to a loss or a gradient that is not finite: its settings are too bold."""


class BadArtifact(LstmrecError):
    """A model artifact is incomplete, altered, or made with another item index."""
