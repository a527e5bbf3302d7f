"""What lies below everything: files, devices, workers, addressed randomness."""
