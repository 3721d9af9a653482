"""Confidence intervals and paired tests of few-shot evaluation."""
