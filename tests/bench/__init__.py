"""`make bench`: each figure beside a peer and a limit measured in the same run."""
