"""``sla up``: the whole service under one parent process."""
