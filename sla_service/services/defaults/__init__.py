"""The config files as `sla init` writes them; `config/` of the repository holds the same."""
