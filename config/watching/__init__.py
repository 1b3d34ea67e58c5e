"""What operators see: logs, probes, measures. Reads the books a little, changes nothing."""
