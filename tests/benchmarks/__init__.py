"""Benchmarks, run by `make bench`: figures as ratios against something in the same run, as machines are noisy."""
