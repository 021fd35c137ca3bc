"""The command line: one file for the words (`commands`), one for each kind of work. README.md lists them."""
