"""The command line: one file a command. Each parses, makes one call of the library and prints."""
