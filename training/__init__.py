"""training/: turn a purchase into measured accuracy."""

import logging

# bitsandbytes warns at import of an optional package that it can do without; peft imports it
# before anybody could ask for quiet.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
