"""Where everything meets. These functions are the Python API; the command line calls them."""
