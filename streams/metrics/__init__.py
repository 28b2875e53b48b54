"""What Prometheus is told: collectors on the registry they are handed. No label ever holds a customer.

family.py           a family of series: name, labels with their values, help; collectors are made of it
line.py             what becomes of records, alerts and labels on the line
engine.py           how long each stage takes, batches, commits, events on time
assignment.py       rebalances and recovery
partitions.py       what each partition holds: lag, customers, timers, what waits to be written
census.py           customers by level and segment, counted beside the work
model_in_effect.py  which model scores, and how old it is
outages.py          sources that are out, and the breaker
outcomes.py         how alerts turned out: precision, recall, lead time
training.py         what the trainer learnt, and how good it is
process.py          what every process says of itself
batch_histogram.py  a histogram that takes a batch at once
worker.py           the collectors that read partitions, put together
document.py         all of it as a table: deploy/METRICS.md
"""
