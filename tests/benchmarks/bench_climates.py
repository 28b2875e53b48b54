"""How far the mixture is behind its best expert in every climate of the simulator: AUC and log loss, pooled weeks.

The promise is that it is never more than 0.003 AUC behind. Takes minutes; nobody has to wait for it before a commit.
"""

from models.evaluate import replay
from models.metrics import auc, log_loss
from models.simulator import CLIMATES
from tests.models.logs import pooled, simulated_log, target_of

CUSTOMERS, DAYS, SEED = 2_000, 550, 7
BAR = 0.003


def run() -> None:
    """Print the table: per climate AUC over log loss of each expert and the mixture, and the AUC behind the best."""
    worst, heading = 0.0, None
    for climate in CLIMATES:
        report = replay(simulated_log(climate, CUSTOMERS, DAYS, SEED), target_of(climate))
        if heading is None:
            heading = [*report.expert_names, "mixture"]
            print(f"climates, {CUSTOMERS:,} customers, {DAYS} days, seed {SEED}: AUC, below it log loss in nats")
            print(f"  {'':14} {'':>8} " + " ".join(f"{name:>8}" for name in heading) + f" {'behind':>8}")
        y, p = pooled(report)
        ranks, losses = [auc(y, row) for row in p], [log_loss(y, row) for row in p]
        behind = max(ranks[:-1]) - ranks[-1]
        worst = max(worst, behind)
        horizon = f"{report.target.horizon_days:.0f} d"
        print(f"  {climate:14} {horizon:>8} " + " ".join(f"{rank:8.4f}" for rank in ranks) + f" {behind:8.4f}")
        print(f"  {'':14} {len(y):8,} " + " ".join(f"{loss:8.4f}" for loss in losses))
    print(f"  mixture behind its best expert at most {worst:.4f} AUC (bar: {BAR})")
