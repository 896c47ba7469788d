"""The Python functions: the options of the commands, and values to go on with."""
