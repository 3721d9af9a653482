"""Speed and memory of components, per device; ratios are computed within one run."""
