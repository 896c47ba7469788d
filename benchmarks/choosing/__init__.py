"""Which rule for choosing points is best."""
