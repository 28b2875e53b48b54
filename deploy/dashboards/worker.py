"""For SREs: the golden signals of the workers, in the order in which they hurt somebody.

Numbers that say at a glance whether all is well, then latency, traffic, errors, saturation.
"""

from deploy.dashboards.building import Dashboard, Graph, Number, Query, Row

RATE = "$__rate_interval"

AT_A_GLANCE = Row(
    "At a glance",
    [
        Number(
            title="Alerts firing",
            says="Rules that fire now. Each has its section in deploy/RUNBOOK.md.",
            unit="short",
            queries=[Query('count(ALERTS{alertstate="firing", alertname=~"Yocho.*"}) or vector(0)')],
            red_from=1,
        ),
        Number(
            title="Workers that answer",
            says="If one is missing, the others have its partitions.",
            unit="short",
            queries=[Query('sum(up{job="yocho-worker"})')],
        ),
        Number(
            title="Partitions served",
            says="Less than YOCHO_PARTITIONS: nobody works on some. They may be restoring state.",
            unit="short",
            queries=[Query("count(count by (partition) (yocho_stream_time_lag_seconds)) or vector(0)")],
        ),
        Number(
            title="Records waiting",
            says="From what has been applied to the end of the inputs.",
            unit="short",
            queries=[Query("sum(yocho:consumer_lag:records)")],
        ),
        Number(
            title="Decided late, last hour",
            says="Share of events decided later than a second after they came, while caught up. Promised: below 1 %.",
            unit="percentunit",
            queries=[Query("yocho:decisions_late:ratio_1h")],
            red_from=0.01,
        ),
        Number(
            title="Stuck, last hour",
            says="Share of what came in that waited longer than five minutes. Promised: below 0.1 %.",
            unit="percentunit",
            queries=[Query("yocho:intake_stuck:ratio_1h")],
            red_from=0.001,
        ),
    ],
)


def quantiles(histogram: str, matchers: str = "") -> list[Query]:
    """Median, 95 % and 99 % of a histogram over all workers."""
    rate = f"sum by (le) (rate({histogram}_bucket{matchers}[{RATE}]))"
    return [Query(f"histogram_quantile({q}, {rate})", f"{q:.0%}") for q in (0.5, 0.95, 0.99)]


LATENCY = Row(
    "Latency",
    [
        Graph(
            title="From event to decision, caught up",
            says="From a record's append to the decision about its customer. 99 % should be below one second.",
            unit="s",
            queries=quantiles("yocho_event_decision_seconds", '{phase="live"}'),
            red_from=1,
        ),
        Graph(
            title="Stages, 95 %",
            says="Where the time goes: fetch and emit are the brokers', decode and process this worker's processor, "
            "merge_wait an input that lags behind the others.",
            unit="s",
            queries=[
                Query(
                    f"histogram_quantile(0.95, sum by (le, stage) (rate(yocho_stage_seconds_bucket[{RATE}])))",
                    "{{stage}}",
                )
            ],
        ),
        Graph(
            title="From event to alert",
            says="Only events that caused an alert. A dot is one of them: it names alert, topic, partition and offset.",
            unit="s",
            queries=quantiles("yocho_event_to_alert_seconds"),
            exemplars=True,
        ),
        Graph(
            title="Stream time behind the clock",
            says="By partition. Alerts about silence are late by as much. Years while history is read.",
            unit="s",
            queries=[Query("max by (partition) (yocho_stream_time_lag_seconds)", "{{partition}}")],
            red_from=900,
        ),
        Graph(
            title="Commit, 95 %",
            says="A slow commit delays no alert, but makes for more to be done again after a crash.",
            unit="s",
            queries=[
                Query(
                    f"histogram_quantile(0.95, sum by (le, stage) (rate(yocho_commit_seconds_bucket[{RATE}])))",
                    "{{stage}}",
                )
            ],
        ),
        Graph(
            title="Since the last commit",
            says="By worker. More than two minutes: commits are stuck.",
            unit="s",
            queries=[Query("time() - max by (instance) (yocho_last_commit_timestamp_seconds)", "{{instance}}")],
            red_from=120,
        ),
    ],
)

TRAFFIC = Row(
    "Traffic",
    [
        Graph(
            title="Events per second",
            says="What was taken off the inputs, by type.",
            unit="ops",
            queries=[Query(f"sum by (type) (rate(yocho_events_total[{RATE}]))", "{{type}}")],
            stacked=True,
        ),
        Graph(
            title="Alerts per minute",
            says="Published for people to act on, by level. None for a day while events flow is a fault.",
            unit="short",
            queries=[Query(f"sum by (level) (rate(yocho_alerts_total[{RATE}])) * 60", "{{level}}")],
            stacked=True,
        ),
        Graph(
            title="Looks per second",
            says="Silent customers looked at because their time had come.",
            unit="ops",
            queries=[Query(f"sum(rate(yocho_looks_total[{RATE}]))", "looks")],
        ),
        Graph(
            title="Records in a batch",
            says="On average. Always near YOCHO_MAX_BATCH: there is a backlog.",
            unit="short",
            queries=[
                Query(
                    f"sum by (instance) (rate(yocho_batch_records_sum[{RATE}]))"
                    f" / sum by (instance) (rate(yocho_batch_records_count[{RATE}]))",
                    "{{instance}}",
                )
            ],
        ),
        Graph(
            title="Fetched and handed back per second",
            says="Handed back: not applied before the partition went elsewhere. It is fetched again there.",
            unit="ops",
            queries=[
                Query(f"sum(rate(yocho_fetched_records_total[{RATE}]))", "fetched"),
                Query(f"sum(rate(yocho_handed_back_records_total[{RATE}])) or vector(0)", "handed back"),
            ],
        ),
        Graph(
            title="Rebalances within an hour",
            says="By worker. A few with each deployment; more means that somebody comes and goes.",
            unit="short",
            queries=[Query("sum by (instance) (increase(yocho_rebalances_total[1h]))", "{{instance}}")],
            red_from=5,
        ),
    ],
)

ERRORS = Row(
    "Errors",
    [
        Graph(
            title="Records that had no effect, per second",
            says="Duplicates and replays are harmless; rejected ones are dead letters.",
            unit="ops",
            queries=[
                Query(
                    f'sum by (outcome) (rate(yocho_events_total{{outcome!="applied"}}[{RATE}]))',
                    "{{outcome}}",
                )
            ],
        ),
        Graph(
            title="Dead letters per minute",
            says="By reason. `yocho dead-letters list` shows them, `redrive` sends them back after a fix.",
            unit="short",
            queries=[
                Query(f"sum(rate(yocho_dead_letters_total[{RATE}])) * 60", "all"),
                Query(f"sum by (reason) (rate(yocho_dead_letters_total[{RATE}])) * 60 > 0", "{{reason}}"),
            ],
        ),
        Graph(
            title="Sources that are out, and alerts held",
            says="An input that has gone quiet does not count against customers. Held: a breaker is open, and "
            "`yocho release` lets them go.",
            unit="short",
            queries=[
                Query("max by (source) (yocho_source_stale_seconds) > bool 0", "{{source}} is out"),
                Query("sum(yocho_alerts_held)", "alerts held"),
            ],
            red_from=1,
        ),
        Graph(
            title="Commits that failed, within an hour",
            says="One with a rebalance is normal; nothing is lost.",
            unit="short",
            queries=[Query("sum by (instance) (increase(yocho_commit_failures_total[1h]))", "{{instance}}")],
        ),
        Graph(
            title="Seconds without partitions, per minute",
            says="By worker: rebalance, recovery, or more workers than partitions. 60 = nothing to do at all.",
            unit="s",
            queries=[
                Query(
                    f"sum by (instance) (rate(yocho_without_partitions_seconds_total[{RATE}])) * 60",
                    "{{instance}}",
                )
            ],
        ),
        Graph(
            title="Recovery",
            says="Records still to be restored, and for how many seconds it has gone on.",
            unit="short",
            queries=[
                Query("max by (instance) (yocho_recovery_remaining_records)", "{{instance}} records"),
                Query("max by (instance) (yocho_recovering_seconds)", "{{instance}} seconds"),
            ],
        ),
    ],
)

SATURATION = Row(
    "Saturation",
    [
        Graph(
            title="Records waiting",
            says="By partition. It grows: too much comes in, or a worker is too slow.",
            unit="short",
            queries=[Query("sum by (partition) (yocho:consumer_lag:records)", "{{partition}}")],
        ),
        Graph(
            title="Processor",
            says="By process, 1 = a whole core. A worker uses one core and a little.",
            unit="percentunit",
            queries=[Query(f"sum by (instance) (rate(process_cpu_seconds_total[{RATE}]))", "{{instance}}")],
            red_from=1,
        ),
        Graph(
            title="Memory",
            says="By process. About 450 bytes a customer.",
            unit="bytes",
            queries=[Query("sum by (instance) (process_resident_memory_bytes)", "{{instance}}")],
        ),
        Graph(
            title="Customers in state",
            says="By partition. One far above the others has keys that are not spread.",
            unit="short",
            queries=[Query("max by (partition) (yocho_customers)", "{{partition}}")],
            stacked=True,
        ),
        Graph(
            title="Timers",
            says="Due: customers who will be looked at when their time comes. Overdue should be 0.",
            unit="short",
            queries=[
                Query("sum(yocho_due_timers)", "due"),
                Query("sum(yocho_overdue_timers)", "overdue"),
            ],
        ),
        Graph(
            title="Customers not committed yet",
            says="It falls to 0 at each commit. It only rises: commits are stuck.",
            unit="short",
            queries=[Query("sum by (instance) (yocho_dirty_customers)", "{{instance}}")],
        ),
    ],
)

DASHBOARD = Dashboard(
    "yocho-worker",
    "Yochō: Worker",
    "Are events decided in time, and if not, where do they wait? Alerts and what to do: deploy/RUNBOOK.md.",
    [AT_A_GLANCE, LATENCY, TRAFFIC, ERRORS, SATURATION],
)
