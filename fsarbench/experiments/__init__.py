"""Several runs as one job: training seeds, and every combination of a grid."""
