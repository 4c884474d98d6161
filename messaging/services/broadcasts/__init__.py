"""Broadcasts: `drafting` writes them down, `audience` says whom they mean, `judging` decides on each of these people,
`dry_run` tells it, `starting` queues what is to be sent, `running` is everything until the end, `replies` notes who
wrote back, `reports` counts."""
