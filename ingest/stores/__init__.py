"""Where Grafana reads: replicas of what the journal says, each with its own position."""
