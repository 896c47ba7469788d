"""How fast engines are, what takes the time, what int8 adds, and who loads them."""
