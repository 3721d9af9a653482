"""Speed and memory of the parts; results are by device, and ratios are taken within one run."""
