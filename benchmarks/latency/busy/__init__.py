"""Speed-ups measured on a busy machine, held against those of the quiet one."""
