"""Every word of the page, Japanese and English; the pictures themselves speak English only."""

from typing import NamedTuple

from models.early_warning import FALSE_POSITIVE_RATIOS

_RATIOS_JA = "と".join(f"{ratio:.0%}" for ratio in FALSE_POSITIVE_RATIOS)
_RATIOS_EN = " and ".join(f"{ratio:.0%}" for ratio in FALSE_POSITIVE_RATIOS)


class Text(NamedTuple):
    """One thing said twice."""

    ja: str
    en: str


class Caption(NamedTuple):
    """A picture's title and the sentence that says what it shows."""

    title: Text
    sentence: Text


TITLE = Text("離反予兆：スコアの評価", "Churn scores, evaluated")
HONESTY = Text(
    "どのスコアも、その時点より前のイベントと、結果の出たラベルだけで計算しています。",
    "Each score used only what was known at its time: the events before it and the labels resolved by then.",
)
POOLED = Text("通算の成績", "Pooled metrics")
POOLED_SENTENCE = Text(
    "結果がわかり、学習も始まっている週をまとめた数字です。最後の列は、失った顧客の最後のメインイベントからアラームまでの"
    "日数（中央値。∞は半数以上を見逃したこと）と、気づけた割合です。"
    "アラームのしきい値は、離反しなかった例の決まった割合（誤報率）が超える値です。",
    "All weeks with known outcomes, once labels have been learnt. The last columns are the median days from a lost"
    " customer's last main event to the alarm (∞: most were missed), and the share noticed, at the threshold that a"
    " given share of the examples that did not churn exceeds (false positives).",
)

FILE = Text("ファイル", "File")
TARGET = Text("予測の対象", "Target")
DATES = Text("期間 (UTC)", "Dates (UTC)")
CUSTOMERS = Text("顧客", "Customers")
EVENTS = Text("イベント", "Events")
WEEKS = Text("集計した週", "Pooled weeks")
EXAMPLES = Text("集計した例", "Pooled examples")
BASE_RATE = Text("離反率", "Base rate")

MODEL = Text("モデル", "model")
AUC = Text("順位づけ", "AUC")
LOG_LOSS = Text("対数損失", "log loss")
BRIER = Text("二乗誤差", "Brier")
ECE = Text("較正誤差", "ECE")

CAPTIONS = {
    "quality": Caption(
        Text("週ごとの成績", "Week by week"),
        Text(
            "上から、順位づけ（AUC、高いほど良い）、確率（対数損失、低いほど良い）、離反率の実績（細線）と予測です。"
            "灰色の週は集計に入れず、目盛りは集計した週に合わせてあります。",
            "From the top: ranking (AUC, higher is better), probabilities (log loss, lower is better), and the share"
            " that churned, observed (thin) and predicted; grey weeks are not pooled; the scales fit the others.",
        ),
    ),
    "experts": Caption(
        Text("エキスパートと混合の差", "Experts beside the mixture"),
        Text(
            "各エキスパート単独の成績から、混合の成績を引いた差です。混合に勝った週は、AUCでは0より上、対数損失では0より下になります。",
            "What each expert alone would have measured, less the mixture: an expert was better above 0 for AUC and"
            " below 0 for log loss.",
        ),
    ),
    "weights": Caption(
        Text("エキスパートの重み", "Weights of the experts"),
        Text(
            "混合の中で各エキスパートが占める重みの移り変わりです。",
            "How much each expert counts in the mixture, over time.",
        ),
    ),
    "reliability": Caption(
        Text("較正", "Reliability diagram"),
        Text(
            "予測した確率に対する、実際の離反率です。点線に近いほど確率は正確です。下は区間ごとの件数です。",
            "The share that churned against the predicted probability, right where it is on the dotted line; below, the"
            " examples in each bin.",
        ),
    ),
    "alerts": Caption(
        Text("しきい値とアラート", "Alerts against threshold"),
        Text(
            "しきい値ごとの、知らせた人のうち離反した割合（適合率）、離反した人のうち知らせた割合（再現率）、週あたりの人数です。"
            f"縦の点線は、離反しなかった例の{_RATIOS_JA}が超えるしきい値です。",
            "For each threshold: the share of the alerted who churned (precision), the share of the churned who were"
            f" alerted (recall), and customers per week; dotted lines are the thresholds that {_RATIOS_EN} of the"
            " examples that did not churn exceed.",
        ),
    ),
    "lead_times": Caption(
        Text("気づく早さ", "Early warning"),
        Text(
            "失った顧客の最後のメインイベントから、最後まで続いたアラームが始まるまでの日数です。左ほど早く、"
            "離反が確定する「one horizon」の線までの差がリードタイムです。",
            "Days from a lost customer's last main event to the start of the alarm that stood to the end: further left"
            " is earlier, and the distance to the line 'one horizon', where churn is certain, is the lead time.",
        ),
    ),
}

NO_WEEK = Text(
    "ログの長さが1ホライズンに足りず、結果のわかった週がありません。",
    "Missing: the log is too short; no week's outcome is known one horizon later.",
)
NO_POOLED = Text(
    "集計できる例がありません。集計は最初の日から2ホライズンと2週間後に始まり、最後の日の1ホライズン前に終わります。",
    "Missing: no pooled example. Pooling begins two horizons and two weeks after the first day and ends one horizon"
    " before the last.",
)
ONE_OUTCOME = Text(
    "集計した例の結果がすべて同じ（全員離反、または離反なし）なので、描けません。",
    "Missing: all pooled examples had the same outcome, churned or not.",
)
NO_LOST = Text(
    "失った顧客がいません。最初の集計週のあとに最後のメインイベントがあり、ログの終わりまで2ホライズン以上離れている人を数えます。",
    "Missing: no lost customer, one last seen after the first pooled week and two horizons or more before the end.",
)


def target(main_name: str, horizon_days: float) -> Text:
    """Say what was predicted.

    Examples
    --------
    >>> target("order", 91.0).en
    'P(no order within 91 days)'
    """
    return Text(f"{horizon_days:g}日間 {main_name} がない確率", f"P(no {main_name} within {horizon_days:g} days)")


def median_days(ratio: float) -> Text:
    """Head the column of median days at a ratio of false positives."""
    return Text(f"誤報{ratio:.0%}：日数", f"days at {ratio:.0%} FP")


def detected(ratio: float) -> Text:
    """Head the column of the share of lost customers noticed at a ratio of false positives."""
    return Text(f"誤報{ratio:.0%}：検知", f"detected at {ratio:.0%} FP")
