"""For retention leads: what was told, whether it was right and early enough, and how much work is open.

Titles are Japanese with English beside. Ratios are made of counters, so they hold for all workers together and for the
time that is looked at. An outcome is known up to a horizon after its alert: of the last weeks' alerts, most are open.
"""

from deploy.dashboards.building import Bars, Dashboard, Graph, Number, Query, Row

OVER = "$__range"
"""The time that is looked at."""

KNOWN = f"sum(increase(yocho_outcomes_total[{OVER}]))"
CHURNED = f'sum(increase(yocho_outcomes_total{{outcome="churned"}}[{OVER}]))'
LOST = f"sum(increase(yocho_lost_customers_total[{OVER}]))"
FORETOLD = f'sum(increase(yocho_lost_customers_total{{told!="none"}}[{OVER}]))'
LEAD_TIME = f"sum by (le) (rate(yocho_lead_time_seconds_bucket[{OVER}]))"

TODAY = Row(
    "いま · Now",
    [
        Number(
            title="対応中 · Open episodes",
            says="通知済みで、まだ戻っていない顧客の数。Customers you have been told of who have not come back yet.",
            unit="short",
            queries=[Query("sum(yocho_open_episodes)")],
        ),
        Number(
            title="新規アラート（24時間） · New in 24 hours",
            says="この24時間に新しく出た離反予兆。Episodes that opened within a day.",
            unit="short",
            queries=[Query('sum(increase(yocho_alerts_total{type="opened"}[1d]))')],
        ),
        Number(
            title="的中率 · Precision",
            says="結果が判明した通知のうち、実際に離反した割合。Of episodes with a known outcome, how many churned.",
            unit="percentunit",
            queries=[Query(f"{CHURNED} / {KNOWN}")],
        ),
        Number(
            title="捕捉率 · Recall",
            says="離反した顧客のうち、事前に通知していた割合。Of lost customers, how many you had been told of.",
            unit="percentunit",
            queries=[Query(f"{FORETOLD} / {LOST}")],
        ),
        Number(
            title="猶予（中央値） · Lead time",
            says="最初の通知から離反までの、対策に使えた時間。From the first alert until the customer was lost.",
            unit="s",
            queries=[Query(f"histogram_quantile(0.5, {LEAD_TIME})")],
        ),
        Number(
            title="保留中 · Held",
            says="急増のためアラートを保留中の顧客。Customers whose alerts are held: too many at once.",
            unit="short",
            queries=[Query("sum(yocho_alerts_held)")],
            red_from=1,
        ),
    ],
)

ALERTS = Row(
    "アラート · Alerts",
    [
        Graph(
            title="新規と悪化（1時間ごと） · New and worse, per hour",
            says="レベル別。注意 watch、離反予兆 at_risk、危険 critical。By level.",
            unit="short",
            queries=[
                Query(
                    'sum by (level) (increase(yocho_alerts_total{type=~"opened|escalated"}[1h]))',
                    "{{level}}",
                )
            ],
            stacked=True,
        ),
        Graph(
            title="顧客層別（1時間ごと） · By segment, per hour",
            says="熱狂的ファン vip、育成候補 nurture、離脱予備軍 slipping、一般 regular。Whom the alerts are about.",
            unit="short",
            queries=[
                Query(
                    'sum by (segment) (increase(yocho_alerts_total{type=~"opened|escalated"}[1h]))',
                    "{{segment}}",
                )
            ],
            stacked=True,
        ),
        Graph(
            title="復帰・期限切れ・対応（1時間ごと） · Recovered, expired, answered, per hour",
            says="復帰 recovered、期限切れ expired、対応 acknowledged と snoozed。How episodes go on and end.",
            unit="short",
            queries=[
                Query(
                    'sum by (type) (increase(yocho_alerts_total{type!~"opened|escalated"}[1h]))',
                    "{{type}}",
                )
            ],
        ),
        Graph(
            title="対応中のエピソード · Open episodes",
            says="いまのレベル別。チームの仕事量です。By level now: the team's work.",
            unit="short",
            queries=[Query("sum by (level) (yocho_open_episodes)", "{{level}}")],
            stacked=True,
        ),
        Graph(
            title="翌日に回した数（24時間） · Put off, within 24 hours",
            says="1日の上限（YOCHO_CAPACITY）のため翌日に回したアラート。毎日増えるなら上限が小さすぎます。"
            "For lack of room. If it rises every day, the limit is too low.",
            unit="short",
            queries=[Query("sum(increase(yocho_alerts_put_off_total[1d]))", "put off")],
        ),
        Graph(
            title="止まっている情報源・保留 · Sources that are out, alerts held",
            says="途絶えた情報源の沈黙は数えません。A source that is out does not count against customers.",
            unit="short",
            queries=[
                Query("max by (source) (yocho_source_stale_seconds) > bool 0", "{{source}}"),
                Query("sum(yocho_alerts_held)", "保留 held"),
            ],
            red_from=1,
        ),
    ],
)

OUTCOMES = Row(
    "結果 · Outcomes",
    [
        Bars(
            title="的中率（最高レベル別） · Precision by highest level told",
            says="高いレベルほど高いはずです。The higher the level, the higher it should be.",
            unit="percentunit",
            queries=[
                Query(
                    f'sum by (level) (increase(yocho_outcomes_total{{outcome="churned"}}[{OVER}]))'
                    f" / sum by (level) (increase(yocho_outcomes_total[{OVER}]))",
                    "{{level}}",
                )
            ],
        ),
        Bars(
            title="離反した顧客への最高レベル · Lost customers by what had been told",
            says="none は通知できなかった顧客。多ければ YOCHO_LEVELS を下げます。none: nobody was told.",
            unit="short",
            queries=[Query(f"sum by (told) (increase(yocho_lost_customers_total[{OVER}]))", "{{told}}")],
        ),
        Bars(
            title="猶予（中央値） · Lead time by highest level told",
            says="最初の通知から離反確定まで。From the first alert until the customer was lost.",
            unit="s",
            queries=[
                Query(
                    f"histogram_quantile(0.5, sum by (le, level) (rate(yocho_lead_time_seconds_bucket[{OVER}])))",
                    "{{level}}",
                )
            ],
        ),
        Graph(
            title="結果（24時間ごと） · Outcomes, within 24 hours",
            says="通知した顧客が戻ったか、離反したか。What became of the customers you were told of.",
            unit="short",
            queries=[Query("sum by (outcome) (increase(yocho_outcomes_total[1d]))", "{{outcome}}")],
            stacked=True,
        ),
        Graph(
            title="復帰1件あたりの通知数 · Alerts for each return",
            says="戻った顧客1人あたり何回通知したか。Work spent on customers who came back.",
            unit="short",
            queries=[Query("avg by (level) (yocho_alerts_per_return_ratio)", "{{level}}")],
        ),
        Graph(
            title="的中率と捕捉率（稼働以来） · Precision and recall since start",
            says="そのレベル以上で通知した顧客について。Told this level or a higher one; by worker, since it started.",
            unit="percentunit",
            queries=[
                Query("avg by (level) (yocho_alert_precision_ratio)", "的中 precision {{level}}"),
                Query("avg by (level) (yocho_alert_recall_ratio)", "捕捉 recall {{level}}"),
            ],
        ),
    ],
)

CUSTOMERS = Row(
    "顧客 · Customers",
    [
        Graph(
            title="状態別の顧客数 · Customers by level",
            says="平常 healthy から離反 churned まで。From healthy to churned.",
            unit="short",
            queries=[Query("sum by (level) (yocho_census_customers)", "{{level}}")],
            stacked=True,
            columns=12,
        ),
        Graph(
            title="顧客層別の顧客数 · Customers by segment",
            says="熱狂的ファン vip、育成候補 nurture、離脱予備軍 slipping、一般 regular。Who they are.",
            unit="short",
            queries=[Query("sum by (segment) (yocho_census_customers)", "{{segment}}")],
            stacked=True,
            columns=12,
        ),
    ],
)

DASHBOARD = Dashboard(
    "yocho-alerts",
    "Yochō: 離反予兆と結果 · Alerts and outcomes",
    "どれだけ通知し、当たり、間に合ったか。What was told, whether it was right, and whether it was early enough.",
    [TODAY, ALERTS, OUTCOMES, CUSTOMERS],
    since="now-30d",
    refresh="5m",
)
