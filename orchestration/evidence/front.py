"""Sentences of the README and of the site's first page, in two languages."""

from __future__ import annotations

from typing import Any

import duckdb

from orchestration.evidence.figures import interval, p_of, signed, size
from warehouse.build_database import rows_of

PRIMARY = "primary.cm_growth_official.newest"
STUDY_FORM = "baseline.cm_growth_official.calendar_year"
Con = duckdb.DuckDBPyConnection


def run_line(con: Con) -> str:
    """Say which run the figures are of."""
    (run,) = rows_of(con, "select run_id, left(started_at::varchar, 10) as day from meta.run")
    return f"run {run['run_id']} of {run['day']}"


def answer(con: Con) -> str:
    """The second paragraph of the README."""
    row = primary_row(con, PRIMARY)
    title = "No effect found"
    if row["verdict"] == "found":
        title = "A change found"
    return (
        f"**{title} in the statistics delivered to us.** Weighted mean synchronization (1 in step, "
        "0 unrelated) between the yearly growth of a city with a zone and that of cities in other "
        f"provinces that no zone covered whole by {row['last_year']} was {size(row['before'])} "
        f"before its admission and {size(row['after'])} afterwards. By comparison with other "
        "cities of its province it would have been an estimated "
        f"{size(row['without_admission'])} without the zone, so the estimated effect is "
        f"{signed(row['estimate'])} (95 % interval {interval(row)}, p "
        f"{p_of(row['p_value'])}; {row['first_year']} to {row['last_year']}). This interval and p "
        "are for growth alone; growth less its trend is tested too, and the p corrected for both "
        f"tests is {p_of(row['p_value_family'])}. p is how often zones reassigned at random within "
        "provinces give an effect, up or down, at least as large relative to its standard error. "
        "If zones changed synchronization by the same amount in every city with a zone and every "
        "year since its admission, the corrected p would find a rise of "
        f"{size(row['minimum_detectable_rise'])} or a fall of "
        f"{size(row['minimum_detectable_fall'])} in four of five cases; [other kinds of "
        "change](docs/evidence/primary-test.md#how-often-it-rejects) are "
        f"found more or less often ({run_line(con)})."
    )


def answer_in_chinese(con: Con) -> str:
    """The second paragraph of the Chinese README."""
    row = primary_row(con, PRIMARY)
    title = "未发现这种影响"
    if row["verdict"] == "found":
        title = "发现了这种影响"
    return (
        f"**在交付给我们的统计数据中，{title}。** 设有综试区的城市与外省到 "
        f"{row['last_year']} 年未被综试区整体覆盖的城市，其年增长率的加权平均同步性"
        f"（1 为完全同步，0 为不相关）在获批前为 {size(row['before'])}，"
        f"获批后为 {size(row['after'])}。与本省其他城市比较，假如没有综试区，获批后估计为 "
        f"{size(row['without_admission'])}，因此影响的估计值为 {signed(row['estimate'])}"
        f"（95% 置信区间 {_interval_in_chinese(row)}，p 值 {p_of(row['p_value'])}；"
        f"{row['first_year']}—{row['last_year']} 年）。"
        "这一置信区间与 p 值仅就增长率而言；去趋势增长率也作了检验，按这两项检验校正后的 p 值为 "
        f"{p_of(row['p_value_family'])}。p 值是指：在省内随机重新分配综试区时，"
        "所得影响（不论升降）相对于其标准误至少同样大的频率。"
        "假如综试区带来的变化在各城市、获批后各年都相同，则按校正后的 p 值，"
        f"{size(row['minimum_detectable_rise'])} 的上升或 "
        f"{size(row['minimum_detectable_fall'])} 的下降有八成机会被发现；"
        "[其他形式的变化](docs/evidence/primary-test.md#how-often-it-rejects)"
        f"被发现的机会可能更大，也可能更小（{_run_in_chinese(con)}）。"
    )


def _run_in_chinese(con: Con) -> str:
    (run,) = rows_of(con, "select run_id, left(started_at::varchar, 10) as day from meta.run")
    return f"{run['day']} 的运行 {run['run_id']}"


def _interval_in_chinese(row: dict[str, Any]) -> str:
    return f"{signed(row['ci_low'])} 至 {signed(row['ci_high'])}"


def picture_line(con: Con) -> str:
    """The picture of the README, with what it shows in words."""
    row, study = primary_row(con, PRIMARY), _study(con)
    return (
        f"![Estimated change with a zone: this test {signed(row['estimate'])}, with an interval "
        f"from {interval(row)}; the published study's method on the same data "
        f"{signed(study['province_jackknife']['estimate'])}, with that method's narrow interval "
        f"and one from {interval(study['province_jackknife'])} that allows for shocks common to a "
        "province; shaded, uniform changes that this test finds in at least four of five cases]"
        "(docs/images/answer.svg)"
    )


def picture_in_chinese(con: Con) -> str:
    """The picture of the Chinese README, with what it shows in words."""
    row, study = primary_row(con, PRIMARY), _study(con)
    province = study["province_jackknife"]
    return (
        f"![综试区所带来变化的估计值：本检验 {signed(row['estimate'])}，"
        f"置信区间 {_interval_in_chinese(row)}；原研究的方法用于同样的数据 "
        f"{signed(province['estimate'])}，该方法的置信区间很窄，"
        f"考虑同省共同冲击的置信区间为 {_interval_in_chinese(province)}；"
        "阴影为本检验至少有八成机会发现的一致变化](docs/images/answer_zh.svg)"
    )


def study_in_chinese(con: Con) -> str:
    """What the Chinese README says of the published study's method."""
    study = _study(con)
    row = study["conventional"]
    return (
        "原研究（张兵兵等，2023）的方法用于同样的数据，"
        "取其较早的样本期与联系紧密的城市对，得到 "
        f"{signed(row['estimate'])}。若按城市对聚类（这是我们的假定，未见到其标准误的算法），"
        f"置信区间为 {_interval_in_chinese(row)}：{row['n_pairs']:,} 个城市对被当作彼此独立的证据，"
        "而含同一城市的城市对会受到该城市的共同冲击。考虑这一点的置信区间为 "
        f"{_interval_in_chinese(study['dyadic'])}；考虑同省共同冲击的置信区间为 "
        f"{_interval_in_chinese(study['province_jackknife'])}。"
    )


def study_line(con: Con) -> str:
    """What the README says of the published study's method."""
    study = _study(con)
    row = study["conventional"]
    return (
        "The published study's method, applied to the same data in the study's years and for "
        f"strongly tied pairs of cities, gives {signed(row['estimate'])}. With errors clustered by "
        "pair, as we assume (how the study computes its errors we have not seen), the interval is "
        f"{interval(row)}: {row['n_pairs']:,} pairs of cities count as separate pieces of "
        "evidence, although pairs with a city in common share its shocks. The interval that allows "
        f"for cities in common is {interval(study['dyadic'])}; the one that allows for shocks "
        f"common to a province is {interval(study['province_jackknife'])}."
    )


def index_line(con: Con) -> str:
    """The answer on the first page of the documentation."""
    row = primary_row(con, PRIMARY)
    title = "No effect found"
    if row["verdict"] == "found":
        title = "A change found"
    return (
        f"{title} in the delivered statistics: {signed(row['estimate'])} (95 %: {interval(row)}, "
        f"{row['first_year']} to {row['last_year']}; {run_line(con)})."
    )


def primary_row(con: Con, spec_id: str) -> dict[str, Any]:
    [row] = rows_of(con, "from estimates.primary where spec_id = ?", spec_id)
    return row


def _study(con: Con) -> dict[str, dict[str, Any]]:
    """The study's form by method of inference."""
    query = "from estimates.estimate where spec_id = ? and term = 'treated'"
    return {row["vcov"]: row for row in rows_of(con, query, STUDY_FORM)}
