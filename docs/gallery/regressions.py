"""Gravity regressions of docs/gallery/index.md: their fits, and whether each coefficient stands
with dyadic errors. Run in the checkout, `.venv/bin/python docs/gallery/regressions.py` writes every
coefficient to results.csv and the verdicts by fit to counts.csv, in the current folder.
"""

import citysync as cs
import numpy as np
import pandas as pd
import pyfixest as pf

data = "docs/gallery/data"
log = pd.read_csv(f"{data}/log_of_gravity.csv.gz")
# in Stata's file these are of single precision
single = log.select_dtypes("float").columns
log[single] = log[single].astype("float32").astype("float64")
log["ln_trade"] = np.log(log["trade"].where(log["trade"] > 0))
traded = log[log["trade"] > 0]
traditional = (
    "lypex + lypim + lyex + lyim + ldist + border + comlang + colony + landl_ex + landl_im"
    " + lremot_ex + lremot_im + comfrt_wto + open_wto"
)
bilateral = "ldist + border + comlang + colony + comfrt_wto"
countries = "s1_im + s2_ex"

guide = pd.read_csv(f"{data}/agtpa_applications.csv.gz")
guide["ln_trade"] = np.log(guide["trade"].where(guide["trade"] > 0))
guide["ldist"] = np.log(guide["dist"])
home = guide["exporter"] == guide["importer"]
guide["pair"] = guide["pair_id"].where(~home, 0)
for year in range(1986, 2006, 4):
    guide[f"border{year}"] = (~home & (guide["year"] == year)).astype(float)
abroad = guide[~home]
ever = guide[guide.groupby("pair_id")["trade"].transform("sum") > 0]
gravity = "ldist + cntg + lang + clny + rta"
lags = "rta + rta_lag4 + rta_lag8 + rta_lag12"
borders = " + ".join(f"border{year}" for year in range(1986, 2006, 4))
by_year = "exporter^year + importer^year"

moved = pd.read_csv(f"{data}/austria_migration.csv.gz")
moved["ln_leaving"] = np.log(moved["leaving"])
moved["ln_arriving"] = np.log(moved["arriving"])
sizes = "ln_leaving + ln_arriving + distance"

robust = {"vcov": "hetero"}
# the archive's errors have no factor for the number of coefficients
by_pair = {"vcov": {"CRV1": "pair_id"}, "ssc": pf.ssc(k_adj=False)}
plain = {"vcov": "iid", "ssc": pf.ssc(k_adj=False, G_adj=False)}
fits = {
    "table 3, OLS": pf.feols(f"ln_trade ~ {traditional}", traded, **robust),
    "table 3, PPML": pf.fepois(f"trade ~ {traditional}", log, **robust),
    "table 5, OLS": pf.feols(f"ln_trade ~ {bilateral} | {countries}", traded, **robust),
    "table 5, PPML": pf.fepois(f"trade ~ {bilateral} | {countries}", log, **robust),
    "OLS": pf.feols(f"ln_trade ~ {gravity} | {by_year}", abroad[abroad["trade"] > 0], **by_pair),
    "PPML": pf.fepois(f"trade ~ {gravity} | {by_year}", abroad, **by_pair),
    "pair effects": pf.fepois(f"trade ~ rta | {by_year} + pair", ever, **by_pair),
    "lead": pf.fepois(f"trade ~ rta + rta_lead4 | {by_year} + pair", ever, **by_pair),
    "phasing in": pf.fepois(f"trade ~ {lags} | {by_year} + pair", ever, **by_pair),
    "globalization": pf.fepois(f"trade ~ {lags} + {borders} | {by_year} + pair", ever, **by_pair),
    "sizes": pf.fepois(f"flow ~ {sizes}", moved, **plain),
    "origins": pf.fepois("flow ~ ln_arriving + distance | origin", moved, **plain),
    "destinations": pf.fepois("flow ~ ln_leaving + distance | destination", moved, **plain),
    "both": pf.fepois("flow ~ distance | origin + destination", moved, **plain),
}

units = [("s1_im", "s2_ex")] * 4 + [("exporter", "importer")] * 6 + [("origin", "destination")] * 4
rows = []
for (column, fit), unit in zip(fits.items(), units, strict=True):
    dyadic = cs.vcov(fit, unit, vcov="dyadic").set_index("term").drop("Intercept", errors="ignore")
    for term, own in dyadic.iterrows():
        t = fit.coef()[term] / fit.se()[term]
        dyadic_t = own["estimate"] / own["std_error"]
        verdict = "stands"
        if abs(t) <= 1.96:
            verdict = ""
        elif abs(dyadic_t) < 1.96:
            verdict = "falls"
        elif own["p_value"] >= 0.05:
            verdict = "open"
        rows.append([column, term, own["estimate"], t, dyadic_t, *own[["df", "p_value"]], verdict])
names = ["fit", "term", "estimate", "t", "dyadic t", "df", "p", "verdict"]
table = pd.DataFrame(rows, columns=names)
digits = {"estimate": 3, "t": 1, "dyadic t": 1, "df": 1, "p": 3}
table.round(digits).to_csv("results.csv", index=False)
verdicts = table["verdict"].replace("", "t below 1.96")
counts = pd.crosstab(table["fit"], verdicts, margins=True, margins_name="all")
counts.loc[[*fits, "all"]].to_csv("counts.csv")
