"""What is lost where processes are killed, and whom an agent keeps out."""
