"""The background engine: training and analyses in the processes of a dask.distributed cluster.

`client.Engine` is what the app holds: it starts the cluster (`python -m gnnviz.engine`) or joins one,
and hands it work. `tasks` trains a run, `analyses` answers questions about one; both run on workers.
No thread, queue or heartbeat is ours: dask places, retries and watches the tasks.
"""
