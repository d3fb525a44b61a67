"""What every store must hold for a stretch of time: a pure function of the journal."""
