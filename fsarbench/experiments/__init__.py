"""Runs, and jobs of several runs: training seeds and sweeps over a grid."""
