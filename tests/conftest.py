"""What every test may count on, wherever the suite was started."""

import signal

# A shell that starts a job in the background has it ignore interrupts, and every program that the job starts inherits
# that. Tests interrupt programs: so here, and in whatever is started from here, an interrupt counts.
signal.signal(signal.SIGINT, signal.default_int_handler)
