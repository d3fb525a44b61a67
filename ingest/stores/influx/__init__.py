"""The store on a server: InfluxDB or VictoriaMetrics."""
