"""For every test: a busy machine is no failure, so Hypothesis neither times examples nor minds slow ones."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
