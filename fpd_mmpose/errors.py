"""The error that users can fix."""


class UserError(ValueError):
    """Something the user can fix: a file, a record, an option, or a config field.

    The message is a single line that names the culprit and says what to do. Commands
    print it without a traceback; every other exception keeps its own.
    """
