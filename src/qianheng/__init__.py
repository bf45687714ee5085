"""Qianheng (千衡): open full-domain promotion, every figure provable."""

__version__ = "0.1.0"
