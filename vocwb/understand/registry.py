"""The registry of metrics: each figure that the product computes, by the name of one variant, and how it is made."""

from typing import NamedTuple

import pandas as pd

from vocwb.crosswalk import MEASURES
from vocwb.errors import SchemaError

HIGH, LOW, DECLARED, NEITHER = "higher is better", "lower is better", "as declared", "neither"

SCORES = tuple(measures[0] for measures in MEASURES.values())
"""The main measure of a question of each metric."""

WEIGHTED = "_weighted"
"""The end of the name of a figure that was weighted to the population."""

_REICHHELD = "Reichheld 2003, Harvard Business Review 81(12):46"
_DIXON = "Dixon, Freeman and Toman 2010, Harvard Business Review 88(7):116"
_SCORES = "vocwb.understand.metrics.compute_scores"
_PANELS = "vocwb.collect.panels"
_MEAN = "Wilson's for a mean on a scale, with t, cluster-robust by respondent"
_NET = "adjusted Wald, at the effective n of respondents"
_WILSON = "Wilson, at the effective n of respondents"
_EXACT = "none: a count of what was logged"


class Metric(NamedTuple):
    """One variant of a figure: name is the measure in `findings`, or the key of a panel; function computes it."""

    name: str
    label: str
    scale: str
    direction: str
    denominator: str
    formula: str
    interval: str
    source: str
    note: str
    function: str


_ASKED = (
    Metric(
        "nps", "NPS", "-100 to +100, of answers on 0-10", HIGH, "answers",
        "% of 9 and 10 less % of 0 to 6", _NET, _REICHHELD,
        "Published also with 0-6 and with 1-10 as its scale: neither is NPS. What counts as good differs by trade"
        " and country; no benchmark is given. The reason that people write tells as much as the number.", _SCORES,
    ),
    Metric(
        "nps_1_10", "NPS on 1-10 (non-standard base)", "-100 to +100, of answers on 1-10", HIGH, "answers",
        "% of 9 and 10 less % of 1 to 6", _NET, "no definition: some surveys are asked so",
        "Not comparable with NPS: without 0 the scale is another. Its label and claims say so.", _SCORES,
    ),
    Metric(
        "csat_mean", "CSAT mean", DECLARED, HIGH, "answers", "mean of the answers", _MEAN,
        "Microsoft Dynamics 365 Customer Voice, satisfaction metrics",
        "Not csat_top2, though both are published as CSAT. Raises an alarm where the whole interval lies below the"
        " middle of the scale (3 on 1-5). Of employees it is staff satisfaction, in a section of its own.", _SCORES,
    ),
    Metric(
        "csat_top2", "CSAT top-2-box", "0-100%", HIGH, "answers", "% of answers in the two best points", _WILSON,
        "usual in market research; Chattermill, CSAT",
        "Not csat_mean. Of scales of at most 11 points.", _SCORES,
    ),
    Metric(
        "ces", "CES mean", DECLARED, DECLARED, "answers", "mean of the answers", _MEAN, _DIXON,
        "First asked as effort (low is good), later as agreement that it was easy (high is good): the programme"
        " must declare scale and direction.", _SCORES,
    ),
    Metric(
        "loyalty", "loyalty mean", DECLARED, HIGH, "answers", "mean of the answers", _MEAN,
        "plain mean of one item", "One item, such as buying again; several together are cli_rescaled.", _SCORES,
    ),
    Metric(
        "rating", "rating mean", DECLARED, HIGH, "answers", "mean of the answers", _MEAN, "plain mean of one item",
        "Stars, and whatever is none of the named metrics.", _SCORES,
    ),
    Metric(
        "cli_rescaled", "index of rescaled items", "0-100", HIGH,
        "responses that answered every item", "mean of the items, each rescaled to 0-100 first", _MEAN,
        "Microsoft, kinds of feedback: the mean of NPS, buying again and trying other products",
        "Published without a scale, on 1-6, and with an NPS score averaged in: items on different scales cannot be"
        " averaged as they are, and an NPS is of a group, never of one answer. Here the item's answer counts.",
        _SCORES,
    ),
)  # fmt: skip

_OTHERS = (
    Metric(
        "staff_satisfaction", "staff satisfaction", DECLARED, HIGH, "answers of employees",
        "csat_mean and csat_top2 of questions that employees were asked", f"{_MEAN}; {_WILSON}", "as csat_mean",
        "Section staff, never together with customers; a larger minimum group.", _SCORES,
    ),
    Metric(
        "expectation_gap", "experience less expectation", "points of the scale", HIGH,
        "respondents who answered both", "mean of experience less expectation, respondent by respondent",
        "paired t", "Parasuraman, Zeithaml and Berry 1988, Journal of Retailing 64(1):12",
        "Only where both were asked (expectation_of); never inferred from what people write.",
        "vocwb.understand.kpis.measure_gaps",
    ),
    Metric(
        "kpi", "target of the programme", "of its measure", DECLARED, "of its measure",
        "on course: the interval lies on the good side of the target; not on course: on the bad side; else cannot"
        " say", "of its measure", "the programme", "Declared before the data is seen.",
        "vocwb.understand.kpis.judge_kpis",
    ),
    Metric(
        "share", "share of respondents", "0-100%", NEITHER, "respondents heard in the languages of the topic",
        "% who mention a topic", _WILSON, "plain share", "", "vocwb.understand.sizes.size_topics",
    ),
    Metric(
        "reason_share", "share of leavers by reason", "0-100%", NEITHER, "respondents of a tenure who gave a reason",
        "% who gave the reason, or one of a group of reasons", "Wilson", "plain share",
        "Serves also what newcomers need. Unhappy and no longer needed lead to different actions: they stand apart.",
        "vocwb.understand.reasons.table_reasons",
    ),
    Metric(
        "impact_left_out", "impact: mean of all less mean without the topic", "points of the score", NEITHER,
        "responses", "s (t - r), with s the share that mentions the topic, t its mean and r that of the rest",
        "none", "Thematic, help pages; Kapiche", "Opposite in sign to impact_gap. Neither is an effect.",
        "vocwb.explain.importance.impacts",
    ),
    Metric(
        "impact_gap", "impact: mean of all less mean with the topic", "points of the score", NEITHER, "responses",
        "(1 - s) (r - t)", "none", "Thematic, article on themes and scores",
        "Opposite in sign to impact_left_out. Neither is an effect.", "vocwb.explain.importance.impacts",
    ),
    Metric(
        "answer_rate", "answer rate", "0-100%", HIGH, "customers to whom the channel's log says something was sent",
        "% who answered in the channel", "Wilson", "AAPOR 2023, Standard Definitions, RR1 (plain form)",
        "Only of channels whose invitations a log holds.", "vocwb.collect.coverage.find_silent",
    ),
    Metric(
        "open_rate", "open rate", "0-100%", HIGH, "messages sent, one a respondent and message",
        "% that were opened", _WILSON, "plain share",
        "Mail programs that load pictures by themselves count as opened: at best an upper bound.",
        f"{_PANELS}.count_funnel",
    ),
    Metric(
        "click_rate", "click rate", "0-100%", HIGH, "messages sent, one a respondent and message",
        "% in which a link was clicked", _WILSON, "plain share", "Of messages sent, not of messages opened.",
        f"{_PANELS}.count_funnel",
    ),
    Metric(
        "unsubscribe_rate", "unsubscribe rate", "0-100%", LOW, "messages sent, one a respondent and message",
        "% after which the respondent unsubscribed", _WILSON, "plain share", "", f"{_PANELS}.count_funnel",
    ),
    Metric(
        "contact_pressure", "contacts of a customer in a month", "0 and more", LOW, "customers contacted in a month",
        "how many were contacted once, twice ...; and % who unsubscribe after the first, second ...",
        "Wilson, of the unsubscribed", "Singer and Willett 1993, Journal of Educational Statistics 18:155",
        "At least so much: channels without a log count only those who answered.", f"{_PANELS}.measure_pressure",
    ),
    Metric(
        "deflection_sessions", "help-centre sessions for each user with a ticket", "0 and more, a ratio", HIGH,
        "users with a ticket", "help-centre sessions / users with a ticket", _EXACT, "Zendesk, self-service score",
        "One of three figures that are called ticket deflection; they cannot be compared.",
        f"{_PANELS}.measure_deflection",
    ),
    Metric(
        "deflection_visits", "visits that no contact follows", "0-100%", HIGH,
        "help-centre visits that can be joined to tickets", "% of visits without a ticket within some days",
        "Wilson, at the effective n of visitors", "Zendesk, kinds of feedback",
        "One of three. A visitor who gives up, or calls, counts as deflected.", f"{_PANELS}.measure_deflection",
    ),
    Metric(
        "deflection_resolved", "resolutions among resolutions and tickets", "0-100%", HIGH,
        "resolutions and tickets", "resolutions / (resolutions + tickets)",
        "Wilson, at the effective n of visitors", "usual of chat bots",
        "One of three. Needs a log of what was resolved without a ticket.", f"{_PANELS}.measure_deflection",
    ),
    Metric(
        "search_without_result", "searches without result", "0-100%", LOW, "searches whose results were logged",
        "% of searches with 0 results", "Wilson, at the effective n of visitors", "plain share", "",
        f"{_PANELS}.read_help_log",
    ),
    Metric(
        "silence_by_behaviour", "silent customers by what they do", "0-100%", LOW, "customers in a log",
        "% without any response, by thirds of each measure of behaviour", "Wilson; Newcombe, of the difference",
        "plain share", "Behaviour says nothing of motives.", "vocwb.collect.coverage.find_silent",
    ),
)  # fmt: skip


def _weigh(metric: Metric) -> Metric:
    return metric._replace(
        name=f"{metric.name}{WEIGHTED}",
        label=f"weighted {metric.label}",
        formula=f"{metric.formula}, in each level of a segment; then the mean of the levels by their population shares",
        interval="Wilson at the effective n"
        if metric.name == "csat_top2"
        else "t, Welch-Satterthwaite over levels",
        source="post-stratification: Holt and Smith 1979, JRSS A 142:33",
        note="Corrects who answered by one segment; those who answered may still differ from the silent within it.",
        function="vocwb.understand.weights.weigh_scores",
    )


METRICS = _ASKED + tuple(map(_weigh, _ASKED)) + _OTHERS
"""Every metric, one row a named variant."""

_BY_NAME = {metric.name: metric for metric in METRICS}


def list_metrics() -> pd.DataFrame:
    """Return the registry for reading: one row a variant, with the columns of `Metric`.

    >>> list_metrics().query("name.str.startswith('deflection')")["name"].tolist()
    ['deflection_sessions', 'deflection_visits', 'deflection_resolved']
    """
    return pd.DataFrame(METRICS)


def describe_metric(name: str) -> Metric:
    """Return one variant of a metric; SchemaError lists those there are.

    >>> describe_metric("csat_top2").formula
    '% of answers in the two best points'
    """
    if name not in _BY_NAME:
        raise SchemaError(
            f"There is no metric {name!r}.",
            f"Metrics: {', '.join(_BY_NAME)}.",
            "Name one variant; list_metrics() says what each is.",
        )
    return _BY_NAME[name]
