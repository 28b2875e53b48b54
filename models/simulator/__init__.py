"""A small model of a real shop: who comes, how often, who slips away, and the truth about each of them.

It stands in front of the line from event to alert: demo, tests and benchmarks need customers whose leaving
is known. Pure and seeded: customer number ``i`` of seed ``s`` lives the same life however much of it is
drawn, so a longer run only adds events. Times are event times; nothing here reads a clock.

**Joining.** Customer ``i < N`` joins at ``start + opening * (i + U) / N``; after the opening, new ones keep
coming at ``N * 0.3 %`` a day. ``U`` is uniform on [0, 1).

**Latent state.** A semi-Markov path, after the "buy till you die" family [1]_ [2]_ with two states more::

    active --Exp(mean L)--> fading --Gamma(3, 12 d)--> lost
                              |                          |
                        20 %  +-----> returning <--------+  15 %, LogNormal(75 d, 0.5) later: a win-back
                                          |
                                          +-- 28 d later --> active

``L = 240 d / Gamma(1.5, mean 1)``, at most four years: long and short lives (Pareto/NBD [1]_). Half of all
customers never order again after the first time, as at CDNOW [7]_ (the drop-out after a purchase of BG/NBD
[2]_): they start in ``fading`` with no further orders. A return begins with an order.

**Orders.** Gaps are gamma with a personal mean, LogNormal(12 d, 0.55), and a personal shape ``k``: regular
customers (k in 4..20) or irregular ones (k in 0.7..1.6; k = 1 is the Poisson customer of Pareto/NBD). This
is Pareto/GGG [3]_. A state slows the rhythm by stretching time: with activity ``a(t)``, order ``j`` falls
where the integral of ``a`` reaches the sum of the first ``j`` gaps. ``a`` is 1 in active and returning, 0
in lost, and at the share ``f`` of a fading spell ``1 - 0.85 f`` for orders but ``(1 - f)^2`` for logins:
interest goes first.

**Logins.** Nine orders in ten have a login some minutes before. Browsing in between is Poisson with a
personal mean gap, LogNormal(5 d, 0.7).

**E-mail.** One campaign a week (Thursday 18:00 in Japan), opened with a personal chance, Beta(2, 3.5),
times 0.35 in fading and 0.03 in lost. One customer in five reads through a privacy proxy that fetches four
mails in five, read or not, and hides real opens [4]_; so about half of all opens are machine opens [5]_,
and they go on for lost customers until the list is cleaned of them (exponential, mean 180 d).

**Hours and weekdays.** Times pass through a weekly profile in Japan time: 22 h is busiest (187 % of 9 h),
12 h second (145 %), Sunday the best day, Saturday the weakest [6]_.

**Amounts.** LogNormal around a personal level, LogNormal(4,500 yen, 0.6); spread of one customer 0.4.

**Climates.** All this is the climate "steady". In others (`models.simulator.climate`) time is stretched once more,
for everybody: order ``j`` falls where the integral of ``a(t) c(t)`` reaches its sum, ``c`` being the climate's
activity. Newcomers join where the integral of their rate says, a price rise ends active spells early, and a
population may have another rhythm or, in a community, logins where orders are here, and the other way round.

The numbers without a source are ours, chosen so that a shop of quick repeat purchases comes out: while
active, half of the customers order every 12 days or more often, and a fifth to a quarter of recent customers
will not order in the next 28 days.

References
----------
.. [1] D. Schmittlein, D. Morrison, R. Colombo (1987), Counting your customers (Pareto/NBD), Management
   Science 33(1).
.. [2] P. Fader, B. Hardie, K. L. Lee (2005), "Counting your customers" the easy way (BG/NBD), Marketing
   Science 24(2).
.. [3] M. Platzer, T. Reutterer (2016), Ticking away the moments (Pareto/GGG), Marketing Science 35(5).
.. [4] Twilio SendGrid, Understanding Apple Mail Privacy Protection and open events.
.. [5] Litmus, Apple Mail Privacy Protection resources: 52.7 % of opens in July 2022.
.. [6] futureshop, orders of 2,200 Japanese shops by weekday and hour, netshop.impress.co.jp/node/4083 (2017).
.. [7] P. Fader, B. Hardie (2001), Forecasting repeat sales at CDNOW, Interfaces 31(3): half of the cohort of
   early 1997 bought once in 18 months.
"""

from models.simulator.climate import CLIMATES, Climate
from models.simulator.event_file import write_events
from models.simulator.life import State
from models.simulator.shop import Shop, campaign_id

__all__ = ["CLIMATES", "Climate", "Shop", "State", "campaign_id", "write_events"]
