"""Numbers only: what counts minutes, days, load and beats; no files, no clock, no network."""
