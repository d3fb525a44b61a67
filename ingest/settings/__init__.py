"""What the owner has decided: one TOML file in, checked settings or every mistake in words out."""
