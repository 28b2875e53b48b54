"""For whoever answers for the model: how good it is, what it learns from, what it is made of, and who is ahead."""

from deploy.dashboards.building import Bars, Dashboard, Graph, Number, Query, Row

AT_A_GLANCE = Row(
    "At a glance",
    [
        Number(
            title="AUC",
            says="How often a churned customer had scored above a returned one, a horizon before. 0.5 is chance.",
            unit="percentunit",
            queries=[Query("max(yocho_prequential_auc)")],
        ),
        Number(
            title="Calibration error",
            says="Above 5 % probabilities should not be taken literally.",
            unit="percentunit",
            queries=[Query("max(yocho_prequential_ece)")],
            red_from=0.05,
        ),
        Number(
            title="Age of the model",
            says="Stream time since the model in use took effect. More than a week: no new one comes.",
            unit="s",
            queries=[Query("max(yocho_model_age_seconds)")],
            red_from=7 * 86_400,
        ),
        Number(
            title="Versions in effect",
            says="One, but for the hour in which partitions switch.",
            unit="short",
            queries=[Query("count(count by (version) (yocho_model_info))")],
        ),
        Number(
            title="Labels not learnt yet",
            says="It grows: the trainer is too slow or stuck.",
            unit="short",
            queries=[Query("max(yocho_labels_pending)")],
        ),
        Number(
            title="Who learns",
            says="One process. None: no trainer. Two: YOCHO_TRAINER is not the same everywhere.",
            unit="short",
            queries=[Query("count(yocho_level_shift)")],
            red_from=2,
        ),
    ],
)

QUALITY = Row(
    "Quality, of predictions made one horizon ago",
    [
        Graph(
            title="Ranking: AUC",
            says="Higher is better. It falls slowly: the shop changes. At once: look at the inputs.",
            unit="percentunit",
            queries=[Query("max(yocho_prequential_auc)", "AUC")],
        ),
        Graph(
            title="Log loss and Brier score",
            says="Lower is better. A Brier score of 0.25 is no better than a coin.",
            unit="short",
            queries=[
                Query("max(yocho_prequential_log_loss)", "log loss"),
                Query("max(yocho_prequential_brier)", "Brier"),
            ],
        ),
        Graph(
            title="Expected calibration error",
            says="What was said against what came, on average over the bins.",
            unit="percentunit",
            queries=[Query("max(yocho_prequential_ece)", "error")],
            red_from=0.05,
        ),
        Bars(
            title="Said, by bin of the probability",
            says="The mean probability that was said. Compare with the next panel.",
            unit="percentunit",
            queries=[Query('sort(max by (bin) (yocho_reliability_ratio{side="said"}))', "{{bin}}")],
        ),
        Bars(
            title="Seen, by bin of the probability",
            says="The share that churned. Well calibrated: as in the panel before.",
            unit="percentunit",
            queries=[Query('sort(max by (bin) (yocho_reliability_ratio{side="seen"}))', "{{bin}}")],
        ),
        Graph(
            title="Seen minus said",
            says="By bin. Above 0: more churn than was said.",
            unit="percentunit",
            queries=[
                Query(
                    'max by (bin) (yocho_reliability_ratio{side="seen"})'
                    ' - max by (bin) (yocho_reliability_ratio{side="said"})',
                    "{{bin}}",
                )
            ],
        ),
    ],
)

LABELS = Row(
    "Labels",
    [
        Graph(
            title="Resolved, within a day",
            says="By outcome; censored: the source of main events was out in their time, so they are left out.",
            unit="short",
            queries=[Query("sum by (outcome) (increase(yocho_labels_total[1d]))", "{{outcome}}")],
            stacked=True,
        ),
        Graph(
            title="Learnt and refused, within a day",
            says="step: quick labels; horizon: the final ones. Refused: another horizon, or somebody else's records.",
            unit="short",
            queries=[
                Query("sum by (kind) (increase(yocho_labels_learnt_total[1d]))", "{{kind}}"),
                Query("sum(increase(yocho_labels_refused_total[1d]))", "refused"),
            ],
        ),
        Graph(
            title="Waiting",
            says="Pending: resolved, not learnt. Open: examples frozen that wait for their outcome.",
            unit="short",
            queries=[
                Query("max(yocho_labels_pending)", "pending"),
                Query("sum(yocho_pending_examples)", "open"),
            ],
        ),
    ],
)

INSIDE = Row(
    "Inside",
    [
        Graph(
            title="Weights of the experts",
            says="Learnt from how right each has been. All on one: the others have nothing to add.",
            unit="percentunit",
            queries=[Query("max by (expert) (yocho_expert_weight_ratio)", "{{expert}}")],
            stacked=True,
        ),
        Graph(
            title="Level shift",
            says="Log of the factor on all hazards: above 0 more churn than usual, by season or growth.",
            unit="short",
            queries=[Query("max(yocho_level_shift)", "shift")],
        ),
        Graph(
            title="Champion against challenger",
            says="Evidence for each side; at 20 the duel ends, and a challenger that wins is the next champion.",
            unit="short",
            queries=[Query("max by (side) (yocho_duel_e_value)", "{{side}}")],
            red_from=20,
        ),
        Graph(
            title="Drift alarms and promotions, within a day",
            says="loss, input: something left its level; distrust the model until it has learnt the new one.",
            unit="short",
            queries=[
                Query("sum by (kind) (increase(yocho_drift_alarms_total[1d]))", "drift: {{kind}}"),
                Query("sum(increase(yocho_promotions_total[1d]))", "promotions"),
            ],
        ),
        Graph(
            title="Age of the model",
            says="By partition; falls to 0 with each new model, at the same stream time everywhere.",
            unit="s",
            queries=[Query("max by (partition) (yocho_model_age_seconds)", "{{partition}}")],
        ),
        Graph(
            title="Versions in effect",
            says="Two for long: partitions or workers do not read the same models.",
            unit="short",
            queries=[Query("count(count by (version) (yocho_model_info))", "versions")],
        ),
    ],
)

DASHBOARD = Dashboard(
    "yocho-model",
    "Yochō: Model",
    "Can the probabilities be trusted, and does the model follow the shop?",
    [AT_A_GLANCE, QUALITY, LABELS, INSIDE],
    since="now-7d",
    refresh="1m",
)
