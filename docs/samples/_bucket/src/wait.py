"""Does nothing for a minute; made to be stopped."""

import time

time.sleep(60)
