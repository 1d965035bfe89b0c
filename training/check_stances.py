"""Check the survey and stance annotation files: shape, enums, ranges, unique ids, no text twice.

Usage: python check_stances.py [FILE.jsonl ...]   (default: the files beside this script and the development sets)

Conventions of annotation that the numbers follow:
 - shares are numbers in percent; a plain fraction ("two-thirds", "six in ten") is exact, a hedged figure ("about",
   "nearly", "almost", "just over", "barely") is approximate and spans the figure +- 3 points;
 - "more than", "over", "at least", "most", "a majority" are lower bounds (up to 100); "fewer than", "up to",
   "no more than" upper bounds (from 0); a fraction glossed by a figure ("nearly three-quarters (72%)") is one finding,
   exact at the gloss;
 - force_name, share_text and subgroup are literal substrings of the text.
"""
import datetime
import glob
import json
import os
import re
import sys

HOLDER = {"government", "military", "opposition", "public", "civil_society", "armed_group", "international", "media",
          "person", "narrator"}
FORCE = {"troops", "base", "trainers", "mercenaries", "peacekeepers", "coalition", "police", "advisers", "aircraft",
         "navy", "equipment"}
BASIS = {"quote", "statement", "action", "protest", "survey", "narrator"}
ORGS = {"UNO", "NATO", "EUU", "AFU", "ECO", "WAGNER", "AFRICA_CORPS", "CSTO"}
KINDS = {"exact", "approximate", "lower_bound", "upper_bound", "range"}
SENT = {"holder", "holder_country", "holder_kind", "force_home", "force_kind", "force_name", "host_country", "label",
        "intensity", "basis", "hedged", "negated", "is_owner"}
SURV = {"population", "population_country", "subgroup", "base", "question_topic", "response", "response_polarity",
        "force_home", "force_kind", "force_name", "host_country", "share_low", "share_high", "share_kind", "share_text",
        "prior_share", "prior_year", "pollster", "sponsor", "fieldwork_from", "fieldwork_to", "sample_size", "margin"}
ISO = set("""ABW AFG AGO ALB ARE ARG ARM AUS AUT AZE BDI BEL BEN BFA BGD BGR BHR BHS BIH BLR BLZ BOL BRA BRB BRN BTN BWA
CAF CAN CHE CHL CHN CIV CMR COD COG COL COM CPV CRI CSK CUB CUW CYP CZE DEU DJI DNK DOM DZA ECU EGY ERI ESH ESP EST ETH
FIN FJI FLK FRA GAB GBR GEO GHA GIN GMB GNB GNQ GRC GRL GTM GUM HKG HND HRV HTI HUN IDN IND IOT IRL IRN IRQ ISL ISR ITA
JAM JOR JPN KAZ KEN KGZ KHM KOR KWT LAO LBN LBR LBY LKA LSO LTU LUX LVA MAR MDA MDG MDV MEX MHL MKD MLI MLT MNE MNG MOZ
MRT MUS MWI MYS MYT NAM NCL NER NGA NIC NLD NOR NPL NZL OMN PAK PAN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT ROU
RUS RWA SAU SDN SEN SGP SLB SLE SLV SOM SRB SSD SVK SVN SWE SYR TCD TGO THA TJK TKM TLS TON TTO TUN TUR TWN TZA UGA UKR
URY USA UZB VAT VEN VNM VUT WSM XKX YEM ZAF ZMB ZWE GUY MMR DMA GRD SUR STP SYC NRU FSM KIR LIE MCO BTN""".split())


def check_force(row, text, bad):
    for key in ("holder_country", "population_country", "host_country"):
        if row.get(key) is not None and row[key] not in ISO | ORGS:
            bad(f"{key} {row[key]}")
    home = row["force_home"]
    if home is not None and home not in ISO | ORGS:
        bad(f"force_home {home}")
    if row["force_kind"] not in FORCE:
        bad(f"force_kind {row['force_kind']}")
    if row["force_name"] is not None and row["force_name"] not in text:
        bad(f"force_name not in text: {row['force_name']}")


def check_stance(row, text, bad):
    if set(row) - {"cue"} != SENT:
        bad(f"keys {set(row) ^ SENT}")
        return
    check_force(row, text, bad)
    if row["holder_kind"] not in HOLDER or row["basis"] not in BASIS:
        bad("holder_kind or basis")
    if row["label"] not in ("negative", "neutral", "positive"):
        bad("label")
    if row["intensity"] not in (0, 1, 2, 3) or (row["label"] == "neutral") != (row["intensity"] == 0):
        bad("intensity")
    if not row["holder"] or any(not isinstance(row[k], bool) for k in ("hedged", "negated", "is_owner")):
        bad("holder or flag")
    if row["is_owner"] and row["holder_country"] and row["force_home"] in ISO and \
            row["holder_country"] != row["force_home"]:
        bad("is_owner with another country")


def check_survey(row, text, bad):
    if set(row) != SURV:
        bad(f"keys {set(row) ^ SURV}")
        return
    check_force(row, text, bad)
    low, high, kind = row["share_low"], row["share_high"], row["share_kind"]
    if not 0 <= low <= high <= 100 or kind not in KINDS:
        bad("share range")
    shape = {"exact": low == high, "approximate": high - low <= 6.01, "lower_bound": high == 100,
             "upper_bound": low == 0, "range": low < high}
    if not shape.get(kind):
        bad(f"share_kind {kind} with {low}..{high}")
    if row["share_text"] not in text:
        bad("share_text")
    if row["subgroup"] is not None and row["subgroup"] not in text:
        bad("subgroup")
    if row["response_polarity"] not in (-1, 0, 1) or row["base"] not in ("all", "subset"):
        bad("polarity or base")
    for key in ("fieldwork_from", "fieldwork_to"):
        if row[key] is not None:
            datetime.date.fromisoformat(row[key])
    if row["prior_year"] is not None and not 1980 <= row["prior_year"] <= 2026:
        bad("prior_year")
    for key, top in (("prior_share", 100), ("margin", 20), ("sample_size", 10**6)):
        if row[key] is not None and not 0 < row[key] <= top:
            bad(key)


def main(paths):
    ids, texts, failures = {}, {}, 0
    for path in paths:
        rows = empty = count = 0
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                def bad(what):
                    nonlocal failures
                    failures += 1
                    print(f"{path}:{number}: {what}")
                try:
                    record = json.loads(line)
                    text = record["text"]
                    kind = "surveys" if "surveys" in record else "sentiment"
                    if set(record) - {"id", "text", "date", kind}:
                        bad("unknown key")
                    if "date" in record:
                        datetime.date.fromisoformat(record["date"])
                    if record["id"] in ids:
                        bad(f"id again: {ids[record['id']]}")
                    ids[record["id"]] = f"{path}:{number}"
                    key = re.sub(r"\W+", " ", text).strip().lower()
                    if key in texts:
                        bad(f"text again: {texts[key]}")
                    texts[key] = f"{path}:{number}"
                    for row in record[kind]:
                        (check_survey if kind == "surveys" else check_stance)(row, text, bad)
                    count += 1
                    rows += len(record[kind])
                    empty += not record[kind]
                except (KeyError, TypeError, ValueError) as error:
                    bad(repr(error))
        print(f"{path}: {count} texts, {empty} empty, {rows} rows")
    print("ok" if not failures else f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    found = sorted(glob.glob(here + "/surveys/*.jsonl") + glob.glob(here + "/stances/a_*.jsonl"))
    found += [p for p in (here + "/../tests_gold/surveys.jsonl", here + "/../tests_gold/stances.jsonl")
              if os.path.exists(p)]
    sys.exit(main(sys.argv[1:] or found))
