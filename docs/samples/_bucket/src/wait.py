"""Sleeps for a minute, to be stopped."""

import time

time.sleep(60)
