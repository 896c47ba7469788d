"""What a user may ask for: the options of commands and of the Python functions, each declared once."""
