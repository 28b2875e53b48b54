"""The command `yocho`: one file per subcommand, each imported only when it is called.

`yocho --help` therefore answers at once, and a subcommand that cannot be imported breaks no other. Whatever goes wrong
for a reason a person can act on ends as one line on stderr and a non-zero exit code; a traceback means a bug.
"""

from streams.cli.group import LazyCommand, LazyGroup

main = LazyGroup(
    "yocho",
    {
        "worker": LazyCommand("streams.cli.worker:command", "Read events, keep state, publish alerts."),
        "topics": LazyCommand("streams.cli.topics:command", "Create, check and describe the topics."),
        "produce": LazyCommand("streams.cli.produce:command", "Replay a CSV file into the input topics."),
        "simulate": LazyCommand("streams.cli.simulate:command", "Send the events of a simulated shop."),
        "alerts": LazyCommand("streams.cli.alerts:command", "Follow the alerts, for people or scripts."),
        "upcoming": LazyCommand("streams.cli.upcoming:command", "List who will cross a level if they stay silent."),
        "release": LazyCommand("streams.cli.release:command", "Let the alerts go that a breaker holds."),
        "ack": LazyCommand("streams.cli.ack:command", "Say that somebody takes care of a customer."),
        "snooze": LazyCommand("streams.cli.snooze:command", "Want no news of a customer for a while."),
        "dead-letters": LazyCommand(
            "streams.cli.dead_letters:command", "List, show and send back what could not be processed."
        ),
        "evaluate": LazyCommand("streams.cli.evaluate:command", "Measure the model on a CSV file, without Kafka."),
        "broker": LazyCommand("streams.cli.broker:command", "Run the embedded broker: for trying out, nothing else."),
        "demo": LazyCommand("streams.cli.demo:command", "See it all work on this machine."),
    },
)
