"""Result files of a run: predictions, accuracy, confidence intervals and conditions."""
