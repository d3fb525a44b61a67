"""What Grafana is given: dashboards and data sources, for each store from one specification."""
