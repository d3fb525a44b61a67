"""What the program needs of the machine, each once: clock, locks, files, SQLite, systemd."""
