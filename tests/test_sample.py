"""The sample programme: its truth can be found again by statistics that do not know how it was planted."""

import ast
import csv
import hashlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import yaml
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from vocwb.programme import parse_programme

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "sample"
SEGMENTS = ["market", "region", "device", "plan", "age_band", "signup_source", "area", "delivery_type"]
APPS = ["app_trouble", "app_login", "app_crash"]
SIMPLIFIED = (
    "们这国说时对过为发问东车长门开关见马鱼龙点还进远运连边达迟选递错钱难题颜风飞饭馆"
    "验给绝继续总线红约级纸细经结络组织样楼标树桥检权条柜档货质买卖价贵实热爱乐电话应该觉见观让认识请谁读"
)


def run_make(out: Path, *options: str, hash_seed: str) -> None:
    subprocess.run(
        [sys.executable, str(SAMPLE / "make.py"), "--out", str(out), *options],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )


def hash_files(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    run_make(out, hash_seed="1")
    return out


@pytest.fixture(scope="module")
def truth(made):
    return json.loads((made / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def programme():
    """The sample's programme, with the sources in which something is said (not the logs)."""
    written = yaml.safe_load((SAMPLE / "programme.yml").read_text(encoding="utf-8"))
    said = [source for source in written["sources"] if not {"events", "measures"} & set(source)]
    return written | {"sources": said}


def read_raw(source: dict, raw: Path) -> pd.DataFrame:
    """Read a source with pandas alone, as its crosswalk says; leave out lines that are not a record."""
    path, skip = raw / source["files"], source.get("skip_lines", 0)
    if source["form"] in ("csv", "tsv"):
        comma = source.get("delimiter", "\t" if source["form"] == "tsv" else ",")
        encoding = source.get("encoding", "utf-8")
        return pd.read_csv(path, sep=comma, encoding=encoding, dtype=str, skiprows=skip, on_bad_lines="skip")
    if source["form"] == "xlsx":
        return pd.read_excel(path, sheet_name=source["sheet"], skiprows=skip)
    if source["form"] == "json":
        return pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))[source["record_path"][0]])
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return pd.DataFrame(records)


@pytest.fixture(scope="module")
def frames(made, programme):
    return {source["files"]: read_raw(source, made / "raw") for source in programme["sources"]}


@pytest.fixture(scope="module")
def responses(frames, programme, truth):
    """All records that can be read, once each, under the programme's own column names."""
    tests = {(row["file"], row["id"]) for row in truth["planted_rows"] if row["kind"] == "test_row"}
    parts = []
    for source in programme["sources"]:
        raw, columns = frames[source["files"]], source["columns"]
        who = raw[columns.get("respondent", columns["id"])]  # a focus group is known as a group
        part = pd.DataFrame({"file": source["files"], "id": raw[columns["id"]], "who": who})
        dates = (
            raw[columns["date"]].astype(str).str.replace(r"(Z|[+-]\d\d:?\d\d)$", "", regex=True).str.strip()
        )
        form = source.get("date_format", "").replace(" %z", "") or "ISO8601"
        part["at"] = pd.to_datetime(dates, format=form, errors="coerce")
        for segment, column in source["segments"].items():
            part[segment] = raw[column]
        for question, column in source.get("answers", {}).items():
            scale = programme["questions"][question]
            value = pd.to_numeric(raw[column], errors="coerce")
            part[question] = value.where(value.between(scale["low"], scale["high"]))
        if "verbatims" in source:
            part["text"] = raw[next(iter(source["verbatims"].values()))]
        parts.append(part.drop_duplicates("id"))
    every = pd.concat(parts, ignore_index=True).dropna(subset="at")
    every = every[[key not in tests for key in zip(every["file"], every["id"], strict=True)]]
    start = every["at"].dt
    return every.assign(month=(start.year - 2024) * 12 + start.month).reset_index(drop=True)


@pytest.fixture(scope="module")
def opinions(responses, truth, frames, programme):
    """Each labelled text with its response and labels; turns stand under the id of their record."""
    turns = {}
    for source in programme["sources"]:
        if "turns" in source:
            raw, spec = frames[source["files"]], source["turns"]
            for key, said in zip(raw[source["columns"]["id"]], raw[spec["column"]], strict=True):
                turns |= {
                    (source["files"], f"{key}#{n}"): turn[spec["text"]] for n, turn in enumerate(said, 1)
                }
    rows = [
        {
            "file": file,
            "key": key,
            "id": key.split("#")[0],
            **dict(zip(truth["label_fields"], label, strict=True)),
        }
        for file, labels in truth["labels"].items()
        for key, label in labels.items()
    ]
    joined = pd.DataFrame(rows).merge(responses, on=["file", "id"], validate="many_to_one")
    said = pd.Series([turns.get(key) for key in zip(joined["file"], joined["key"], strict=True)], dtype="str")
    return joined.assign(text=joined["text"].fillna(said))


@pytest.fixture(scope="module")
def customers(opinions):
    """Opinions of customers that are about something."""
    planted = opinions["topics"].map(lambda topics: any(t in ALL_TOPICS for t in topics))
    return opinions[planted].reset_index(drop=True)


ALL_TOPICS = {
    "late_delivery", "damaged_parcel", "courier_conduct", "product_quality", "wrong_item", "price_fees", "refund_delay",
    "app_trouble", "app_login", "app_crash", "checkout_payment", "support_wait", "support_helpful", "loyalty_points",
    "product_info", "parcel_locker",
}  # fmt: skip


def says(frame: pd.DataFrame, *topics: str) -> pd.Series:
    return frame["topics"].map(lambda said: bool(set(topics) & set(said)))


def share_difference(after: pd.Series, before: pd.Series) -> tuple[float, float]:
    return confint_proportions_2indep(
        int(after.sum()), len(after), int(before.sum()), len(before), method="newcomb"
    )


def effect_interval(frame: pd.DataFrame, formula: str, term: str) -> tuple[float, float]:
    """The 95% interval of one term of a linear model, clustered by respondent."""
    answer = formula.split("~")[0].strip()
    frame = frame.dropna(subset=[answer, "who"])
    frame = frame.assign(who=pd.factorize(frame["who"])[0])
    fit = smf.ols(formula, frame).fit(cov_type="cluster", cov_kwds={"groups": frame["who"]})
    return tuple(fit.conf_int().loc[term])


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    run_make(tmp_path / "again", hash_seed="2")
    assert hash_files(made) == hash_files(tmp_path / "again")


def test_another_seed_gives_other_exports(made, tmp_path):
    run_make(tmp_path / "other", "--seed", "8", hash_seed="1")
    first, other = hash_files(made), hash_files(tmp_path / "other")
    assert first.keys() == other.keys()
    assert not [name for name in first if name.startswith("raw") and first[name] == other[name]]


def test_scripts_need_nothing_of_the_product():
    allowed = set(sys.stdlib_module_names) | {"numpy", "pandas", "yaml", "xlsxwriter"}
    own = {path.stem for path in SAMPLE.glob("*.py")}
    for path in SAMPLE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed | own, path


def test_a_bank_that_lacks_something_is_told_so_by_name():
    spec = importlib.util.spec_from_file_location("sample_words", SAMPLE / "words.py")
    words = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(words)
    bank = words.read_bank(SAMPLE / "texts", "en")
    assert words.check_bank(bank) == []
    bank["topics"]["price_fees"]["positive"] = bank["topics"]["price_fees"]["positive"][:2]
    del bank["causes"][5]
    bank["filler"][0] = "I like {colour}."
    faults = "\n".join(words.check_bank(bank))
    assert "topics.price_fees.positive: 2 of" in faults
    assert "causes.5: 0 of" in faults
    assert "filler: no slot ['colour']" in faults


def test_volume_languages_and_months(opinions, truth):
    assert sum(truth["verbatims"].values()) >= 8000
    assert len(opinions) >= 8000
    assert sorted(opinions["month"].unique()) == list(range(1, 25))
    assert len(truth["months"]) == 24
    shares = opinions["language"].value_counts(normalize=True)
    assert set(shares.index) == {"en", "fa", "ar", "bg", "zh"}
    assert shares.min() > 0.1
    assert opinions.groupby(["language", "month"]).size().min() >= 30  # percentages may be shown every month


def test_hardly_any_text_is_said_twice(opinions, truth):
    wave = set(truth["wave"]["ids"])
    own = opinions[~opinions["id"].isin(wave)]
    assert own["text"].notna().all()
    assert own.duplicated(["language", "text"]).mean() < 0.02


def test_mix_of_topics(opinions):
    said = opinions[~opinions["file"].isin(["staff_survey.xlsx", "onboarding_survey.csv"])]
    count = said["topics"].map(len)
    assert 0.03 < (count == 0).mean() < 0.2
    assert 0.15 < (count == 2).mean() < 0.35
    assert set(said["topics"].explode().dropna()) == ALL_TOPICS


def test_respondents_speak_in_several_channels(responses):
    known = responses[responses["who"].astype(str).str.startswith("KC")]
    assert (known.groupby("who")["file"].nunique() >= 2).mean() > 0.4


def test_locker_appears_in_month_20(customers, truth):
    locker = customers[says(customers, "parcel_locker")]
    assert locker["month"].min() == truth["new_topic"]["number"] == 20
    assert truth["new_topic"]["month"] == "2025-08"
    assert set(locker["month"]) == set(range(20, 25))
    before, after = customers[customers["month"] < 20], customers[customers["month"] >= 20]
    low, _ = share_difference(says(after, "parcel_locker"), says(before, "parcel_locker"))
    assert low > 0.02


def test_app_trouble_splits_in_month_16(customers):
    months = {topic: set(customers.loc[says(customers, topic), "month"]) for topic in APPS}
    assert months["app_trouble"] == set(range(1, 16))
    assert months["app_login"] == months["app_crash"] == set(range(16, 25))
    # Signing in is part of app_trouble before the split: its sentences stand in texts labelled so.
    bank = yaml.safe_load((SAMPLE / "texts" / "en.yml").read_text(encoding="utf-8"))["topics"]
    trouble = customers[says(customers, "app_trouble") & (customers["language"] == "en")]["text"].str.lower()
    login = [text.lower().rstrip(".") for text in bank["app_login"]["negative"] if "{" not in text]
    hits = trouble.map(lambda text: any(sentence in text for sentence in login)).mean()
    assert 0.1 < hits < 0.6


def test_sturdier_packaging_helped(customers, responses, truth):
    month = truth["actions"]["A001"]["number"]
    before, after = customers[customers["month"] < month], customers[customers["month"] >= month]
    _, high = share_difference(says(after, "damaged_parcel"), says(before, "damaged_parcel"))
    assert high < 0
    assert says(after, "damaged_parcel").mean() < says(before, "damaged_parcel").mean() / 2
    since = responses.assign(since=(responses["month"] >= month).astype(float))
    low, high = effect_interval(since, "csat_packaging ~ since", "since")
    assert low > 0.5
    assert high < 0.9


def test_longer_support_hours_did_not_help(customers, responses, truth):
    month = truth["actions"]["A002"]["number"]
    before, after = customers[customers["month"] < month], customers[customers["month"] >= month]
    low, high = share_difference(says(after, "support_wait"), says(before, "support_wait"))
    assert low < 0 < high
    since = responses.assign(since=(responses["month"] >= month).astype(float))
    low, high = effect_interval(since, "csat_support ~ since", "since")
    assert low < 0 < high
    assert high - low < 0.4  # not merely too few to say


@pytest.mark.parametrize(
    ("segment", "level", "topics"), [("region", "north", ["late_delivery"]), ("device", "android", APPS)]
)
def test_segments_that_differ(customers, segment, level, topics):
    known = customers.dropna(subset=segment)
    inside, outside = known[known[segment] == level], known[known[segment] != level]
    low, _ = share_difference(says(inside, *topics), says(outside, *topics))
    assert low > 0
    assert 1.5 < says(inside, *topics).mean() / says(outside, *topics).mean() < 2.6


def test_signup_source_does_not_differ(customers):
    known = customers.dropna(subset="signup_source")
    first = known["topics"].str[0]  # one a text, so that the rows of the table are independent
    assert stats.chi2_contingency(pd.crosstab(first, known["signup_source"])).pvalue > 0.05
    # The same test does find the segments that differ.
    assert stats.chi2_contingency(pd.crosstab(first, known["region"])).pvalue < 0.001


def test_simpsons_paradox_of_delivery_type(responses):
    asked = responses.dropna(subset="csat")
    asked = asked.assign(express=(asked["delivery_type"] == "express").astype(float))
    _, pooled_high = effect_interval(asked, "csat ~ express", "express")
    assert pooled_high < 0
    for _, part in asked.groupby("area"):
        assert effect_interval(part, "csat ~ express", "express")[0] > 0
    assert effect_interval(asked, "csat ~ express + C(area)", "express")[0] > 0


def test_season_of_late_delivery_and_flat_nps(customers, responses):
    peak = customers["month"].isin([11, 12, 23, 24])
    low, _ = share_difference(says(customers[peak], "late_delivery"), says(customers[~peak], "late_delivery"))
    assert low > 0
    for year in (customers["month"] <= 12, customers["month"] > 12):
        high, rest = customers[year & peak], customers[year & ~peak]
        assert says(high, "late_delivery").mean() > says(rest, "late_delivery").mean()
    half = responses.assign(second=(responses["month"] > 12).astype(float))
    low, high = effect_interval(half, "nps ~ second", "second")
    assert low < 0 < high


def keep_letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def test_root_cause_is_five_levels_deep(opinions, truth):
    told = opinions.dropna(subset="cause")
    assert told["topics"].map(lambda said: bool({"late_delivery", "staff_parcels_wait"} & set(said))).all()
    counts = [((told["cause"] == level) | (told["cause"] == level + 1)).sum() for level in range(1, 6)]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 5
    assert counts[0] >= 60
    assert counts[4] >= 25
    stated = [truth["root_cause"]["rows_naming"][str(level)] for level in range(1, 6)]
    assert np.abs(np.array(stated) - counts).max() <= 10  # but for rows that cannot be read
    # A text of cause k holds a sentence of level k.
    for language in ("en", "zh"):
        bank = yaml.safe_load((SAMPLE / "texts" / f"{language}.yml").read_text(encoding="utf-8"))["causes"]
        plain = told[(told["language"] == language) & ~told["text"].str.contains("&|€")]
        for cause, text in zip(plain["cause"], plain["text"].map(keep_letters), strict=True):
            # Of a sentence with slots, the longest piece without one.
            pieces = [max(re.split(r"\{\w+\}", sentence), key=len) for sentence in bank[int(cause)]]
            assert any(keep_letters(piece) in text for piece in pieces), text


def test_scores_follow_what_is_said(opinions):
    order = {"negative": 0, "mixed": 1, "neutral": 1, "positive": 2}
    for question in ("nps", "csat", "ces", "stars"):
        scored = opinions.dropna(subset=question)
        assert 0.3 < stats.spearmanr(scored["polarity"].map(order), scored[question]).statistic < 0.95
    spoken = opinions[opinions["file"] == "surveys_relationship.csv"]
    complaints = spoken[spoken["polarity"] == "negative"]
    late, points = (
        complaints[says(complaints, "late_delivery")],
        complaints[says(complaints, "loyalty_points")],
    )
    assert late["nps"].mean() < points["nps"].mean()


def test_leavers_reasons_go_by_tenure(frames):
    left = frames["churn_survey.csv"]
    unhappy = left["main_reason"].isin(["I am not satisfied", "Price"])
    tenure = left["tenure_months"].astype(int)
    low, _ = share_difference(unhappy[tenure <= 3], unhappy[tenure >= 12])
    assert low > 0


def test_planted_rows_stand_where_truth_says(made, truth, programme, frames):
    sources = {source["files"]: source for source in programme["sources"]}
    kinds = {}
    for row in truth["planted_rows"]:
        kinds.setdefault((row["file"], row["kind"]), []).append(row)
    assert {kind for _, kind in kinds} == {
        "impossible_date", "off_scale", "duplicate_id", "test_row", "personal_data", "hostile", "mojibake", "ragged",
        "html_entities", "truncated",
    }  # fmt: skip
    for (file, kind), rows in kinds.items():
        assert 3 <= len(rows) <= 20
        for row in rows:
            record = read_record(made / "raw" / file, row, sources[file])
            check_fault(kind, record, row, sources[file], frames[file])


def read_record(path: Path, row: dict, source: dict) -> object:
    """Return a record by the line that truth gives: a dict of its fields, or the bare line where it is broken."""
    if source["form"] in ("csv", "tsv"):
        lines = path.read_text(encoding=source.get("encoding", "utf-8")).split("\n")
        comma, skip = (
            source.get("delimiter", "\t" if source["form"] == "tsv" else ","),
            source.get("skip_lines", 0),
        )
        header = next(csv.reader([lines[skip]], delimiter=comma))
        fields = next(csv.reader(io.StringIO("\n".join(lines[row["line"] - 1 :])), delimiter=comma))
        return dict(zip(header, fields, strict=False)) | {"": fields, "header": header}
    if source["form"] == "jsonl":
        return path.read_text(encoding="utf-8").split("\n")[row["line"] - 1]
    if source["form"] == "json":
        return json.loads(path.read_text(encoding="utf-8"))[source["record_path"][0]][row["record"] - 1]
    sheet = pd.read_excel(path, sheet_name=source["sheet"], header=None)
    return dict(zip(sheet.iloc[source.get("skip_lines", 0)], sheet.iloc[row["line"] - 1], strict=True))


def check_fault(kind: str, record, row: dict, source: dict, frame: pd.DataFrame) -> None:
    columns = source["columns"]
    if kind == "truncated":
        with pytest.raises(ValueError):
            json.loads(record)
        return
    assert record[columns["id"]] == row["id"]
    text = record.get(next(iter(source["verbatims"].values())))
    if kind == "impossible_date":
        with pytest.raises((ValueError, TypeError)):
            pd.to_datetime(record[columns["date"]], format=source.get("date_format", "ISO8601"))
    elif kind == "off_scale":
        assert float(record[next(iter(source["answers"].values()))]) in (11, 9, 6)
    elif kind == "duplicate_id":
        twice = frame[frame[columns["id"]] == row["id"]]
        assert len(twice) == 2
        assert len(twice.drop_duplicates()) == 1
    elif kind == "ragged":
        assert len(record[""]) > len(record["header"])
    elif kind == "test_row":
        assert re.match("(?i)test|asdf", text)
    elif kind == "personal_data":
        digits = text.translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789"))
        assert re.search(r"@example\.com|\+44 7700 900\d{3}|4111 1111 1111 1111", digits)
    elif kind == "hostile":
        assert re.search(r"<script|<img|^=cmd|^@SUM", text)
    elif kind == "html_entities":
        assert re.search(r"&\w+;", text)
    elif kind == "mojibake":
        assert text.encode("cp1252").decode("utf-8") != text


def test_every_raw_file_parses_but_for_the_rows_declared_broken(made, truth, frames):
    assert (made / "raw" / "sms_replies.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    for file, frame in frames.items():
        broken = [
            r for r in truth["planted_rows"] if r["file"] == file and r["kind"] in ("ragged", "truncated")
        ]
        twice = [r for r in truth["planted_rows"] if r["file"] == file and r["kind"] == "duplicate_id"]
        ids = {key.split("#")[0] for key in truth["labels"][file]}
        ids |= set(truth["responses_without_feedback"].get(file, []))
        assert len(frame) == len(ids) + len(twice) - len(broken), file
    for name in ("help_centre_log.csv", "message_funnel.csv", "behaviour.csv"):
        assert len(pd.read_csv(made / "raw" / name)) > 1000


def test_responses_without_feedback_are_scores_without_text(frames, truth, programme):
    sources = {source["files"]: source for source in programme["sources"]}
    for file, ids in truth["responses_without_feedback"].items():
        source, frame = sources[file], frames[file]
        silent = frame[frame[source["columns"]["id"]].isin(ids)]
        assert silent[next(iter(source["verbatims"].values()))].isna().all()
        for column in list(source.get("answers", {}).values())[:1]:
            assert silent[column].notna().all()


def test_wave_of_reposts(frames, truth):
    wave = truth["wave"]
    posts = frames[wave["file"]]
    posts = posts[posts["post_id"].isin(wave["ids"])]
    when = pd.to_datetime(posts["posted_utc"])
    assert when.max() - when.min() < pd.Timedelta(days=wave["days"])
    assert str(when.min())[:10] >= wave["from"]
    assert posts["text"].value_counts().min() >= 3
    assert len(posts) == len(wave["ids"]) >= 30


def test_each_language_is_in_its_own_script(opinions, truth):
    odd = {(row["file"], row["id"]) for row in truth["planted_rows"]}
    plain = opinions[[key not in odd for key in zip(opinions["file"], opinions["id"], strict=True)]]
    scripts = {
        "en": "a-z",
        "fa": "\u0600-\u06ff",
        "ar": "\u0600-\u06ff",
        "bg": "\u0400-\u04ff",
        "zh": "\u4e00-\u9fff",
    }
    for language, script in scripts.items():
        texts = plain.loc[plain["language"] == language, "text"].str.lower()
        texts = texts.str.replace(r"kv-\d+", "", regex=True)
        letters, own = texts.str.count(r"[^\W\d_]"), texts.str.count(f"[{script}]")
        assert ((own / letters.clip(lower=1)) > 0.6).mean() > 0.99, language
        assert own.sum() / letters.sum() > 0.95, language
    persian = plain["text"].str.contains("[پچژگ]")
    assert persian[plain["language"] == "fa"].mean() > 0.5
    assert persian[plain["language"] == "ar"].mean() < 0.1
    assert not plain.loc[plain["language"] == "bg", "text"].str.contains("[ыэёіїєЫЭЁІЇЄ]").any()


def test_chinese_is_traditional(opinions):
    chinese = "".join(opinions.loc[opinions["language"] == "zh", "text"])
    assert sorted(set(SIMPLIFIED) & set(chinese)) == []
    assert {"這", "們", "沒", "說"} <= set(chinese)


def test_chats_join_to_their_survey(frames):
    survey, chat = frames["surveys_aftercontact.xlsx"], frames["chat.jsonl"]
    joined = survey.dropna(subset="Chat session").merge(chat, left_on="Chat session", right_on="session")
    assert len(joined) == survey["Chat session"].notna().sum() > 100
    assert (joined["Customer"] == joined["customer_id"]).all()


def test_programme_reads_and_names_no_planted_answer(programme, made):
    text = (SAMPLE / "programme.yml").read_text(encoding="utf-8")
    parsed = parse_programme(text, name="sample")
    assert list(parsed.segments) == SEGMENTS
    assert {source.voice for source in parsed.sources} == {"customer", "employee"}
    decisions = (made / "decisions.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in decisions.splitlines()]
    assert [row["subject"] for row in rows if row["kind"] == "action"] == ["A001", "A002"]
    assert any(row["value"]["parent"] == "W001" for row in rows if row["kind"] == "why")
    for word in ("promotion", "forecast", "rota", "Simpson", "paradox", "locker"):
        assert word not in text + decisions


@pytest.fixture(scope="module")
def findings(sample_root):
    """What the product itself found in the sample's last month."""
    folder = sample_root / "data" / "sample" / "store" / "findings" / "2025-12"
    return pd.concat(map(pd.read_parquet, sorted(folder.glob("*.parquet"))), ignore_index=True)


def test_the_product_finds_the_planted_segments_and_claims_nothing_of_the_null_segment(findings, truth):
    differences = findings[findings["section"].eq("segments") & findings["measure"].eq("difference")]
    evident = differences[differences["verdict"].eq("evidence of a difference")]
    planted = {(one["segment"], one["level"]) for one in truth["segments"]["differ"]}
    about = {"late_delivery": "category:delivery", "app_trouble": "category:usability"}
    for one in truth["segments"]["differ"]:
        own = evident[evident["segment"].eq(one["segment"]) & evident["level"].eq(one["level"])]
        row = own[own["subject"].eq(about[one["topics"][0]])]
        assert len(row) == 1 and row["low"].item() > 0
    for segment in truth["segments"]["same"]:
        assert segment in set(differences["segment"]) and segment not in set(evident["segment"])
    # Of region and device nothing else is claimed to be higher.
    higher = evident[evident["segment"].isin(["region", "device"]) & evident["difference"].gt(0)]
    assert set(zip(higher["segment"], higher["level"], strict=True)) == planted


def test_the_product_finds_the_paradox_and_no_other(findings, truth):
    told = truth["paradox"]
    found = findings[findings["measure"].eq("paradox")].set_index("level")
    level = f"{told['level']}, within {told['within']}"
    assert set(found.index) == {level, f"{told['against']}, within {told['within']}"}
    assert set(found["subject"]) == {told["question"]} and set(found["segment"]) == {told["segment"]}
    row = found.loc[level]
    assert row["value"] < 0 < row["low"]
    within = findings[findings["measure"].eq("paradox_within") & findings["level"].str.startswith(level)]
    assert len(within) == 2 and (within["low"] > 0).all()


def test_the_product_dates_what_changed_and_tells_the_new_topic(findings, truth):
    changed = findings[
        findings["measure"].eq("change_point") & findings["verdict"].eq("evidence of a change")
    ]
    started = {
        subject: period[:7] for subject, period in zip(changed["subject"], changed["period"], strict=True)
    }
    months = truth["months"]
    action, other = truth["actions"]["A001"], truth["actions"]["A002"]
    assert started[action["question"]] == months[action["number"] - 1]
    assert other["question"] not in started and "nps" not in started
    new = changed[changed["period"].str.startswith(truth["new_topic"]["month"]) & changed["difference"].gt(0)]
    assert len(new) >= 1
    warned = findings[findings["measure"].eq("early_warning")]
    assert len(warned) > 50 and warned["verdict"].eq("evidence of a change").mean() < 0.05
