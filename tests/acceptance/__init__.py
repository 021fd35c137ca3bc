"""One test per promise, through public seams only: ports, sockets, HTTP, command line, browser."""
