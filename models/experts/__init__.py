"""The experts of the mixture: each answers P(no main event within the horizon) in its own way.

On the second line they learn from labels, on the first the scorer asks their formulas. All are River classifiers over
the features of `models.features`; what else a dictionary holds is passed over.

============  =====================================================================  ===================
expert        what it is                                                             learns from
============  =====================================================================  ===================
``rhythm``    the personal rhythm alone (`models.hazard`)                            nothing
``process``   a purchase process with dropout, MBG/NBD in closed form                step labels
``hazard``    discrete-time hazard of a thirteenth of the horizon, chained           step labels
``linear``    second-order logit on the features                                     horizon labels
``curved``    the same with fixed hidden units, for regular rhythms                  horizon labels
============  =====================================================================  ===================

No tree among them: on equal labels (9 to 11 thousand of the grocery climate, CDNOW and the season climate) River's AMF,
ARF and Hoeffding adaptive tree reach an AUC of 0.803 to 0.910, 0.687 to 0.728 and 0.789 to 0.855, the curved logit
0.916, 0.753 and 0.870, and the forests take 1.4 to 2.2 ms to learn a label where it takes 0.04.

Step labels resolve after a thirteenth of the horizon: these experts know a new shop after weeks, and a moving level
before the others. Horizon labels answer the very question, a horizon late.
"""

NAMES: tuple[str, ...] = ("rhythm", "process", "hazard", "linear", "curved")
