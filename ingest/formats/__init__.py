"""Bytes in, one neutral recording out: pure, without files or radio."""
