"""Sentences of the README and of the site's first page, in two languages."""

from __future__ import annotations

from orchestration.evidence.figures import Part

PRIMARY = "primary.cm_growth_official.newest"
STUDY_FORM = "baseline.cm_growth_official.calendar_year"
#: The main test, and the published study's method by three methods of inference.
FIGURES = f"""
with study as (
    select vcov, n_pairs, signed(estimate) as estimate, interval_of(ci_low, ci_high) as interval,
        interval_in_chinese(ci_low, ci_high) as interval_zh
    from estimates.estimate where spec_id = '{STUDY_FORM}' and term = 'treated'
)
select first_year, last_year, n_negative, n_treated_years, n_unidentified,
    if(verdict = 'found', 'A change found', 'No effect found') as title,
    if(verdict = 'found', '发现了这种影响', '未发现这种影响') as title_zh,
    size("before") as "before", size("after") as "after", size(without_admission) as without_zone,
    signed(main.estimate) as estimate, interval_of(ci_low, ci_high) as interval,
    interval_in_chinese(ci_low, ci_high) as interval_zh,
    p_of(p_value) as p, p_of(p_value_family) as p_of_both,
    size(minimum_detectable_rise) as rise, size(minimum_detectable_fall) as fall,
    size(weight_negative) as weight_negative,
    run_of() as run, left(started_at, 10) || ' 的运行 ' || run_id as run_zh,
    pair.estimate as pair_estimate, pair.interval as pair_interval,
    pair.interval_zh as pair_interval_zh, format('{{:,}}', pair.n_pairs) as n_pairs,
    dyadic.interval as dyadic_interval, dyadic.interval_zh as dyadic_interval_zh,
    province.estimate as province_estimate, province.interval as province_interval,
    province.interval_zh as province_interval_zh
from estimates.primary as main, meta.run,
    (from study where vcov = 'conventional') as pair,
    (from study where vcov = 'dyadic') as dyadic,
    (from study where vcov = 'province_jackknife') as province
where spec_id = '{PRIMARY}'
"""
#: The second paragraph of the README.
ANSWER = (
    "**{title} in the statistics delivered to us.** Weighted mean synchronization (1 in step) "
    "between the yearly growth of a city with a zone and that of cities that no zone covered "
    "whole by {last_year}, in other provinces, was {before} before its admission and {after} "
    "afterwards. By comparison with other cities of its province it would have been an estimated "
    "{without_zone} without the zone, so the estimated effect is {estimate} (95 % interval "
    "{interval}, p {p}; {first_year} to {last_year}). This interval and p are for growth alone; "
    "growth less its trend is tested too, and the p corrected for both tests is {p_of_both}. p "
    "is how often zones reassigned at random within provinces give an effect, up or down, at "
    "least as large relative to its standard error. If zones changed synchronization by the same "
    "amount in every city with a zone and every year since its admission, this test, at the "
    "corrected p, would find a rise of {rise} or a fall of {fall} in four of five cases; [other "
    "kinds of change](docs/evidence/primary-test.md#how-often-it-rejects) are found more or less "
    "often ({run})."
)
#: The second paragraph of the Chinese README.
ANSWER_IN_CHINESE = (
    "**在交付给我们的统计数据中，{title_zh}。** 设有综试区的城市与外省到 {last_year} "
    "年未被综试区整体覆盖的城市，其年增长率的加权平均同步性"
    "（1 为完全同步）在获批前为 {before}，获批后为 {after}。"
    "以本省其他城市为参照，假如没有综试区，获批后估计为 {without_zone}，"
    "因此影响的估计值为 {estimate}（95% 置信区间 {interval_zh}，p 值 {p}；"
    "{first_year}—{last_year} 年）。"
    "这一置信区间与 p 值仅就增长率而言；去趋势增长率也作了检验，按这两项检验校正后的 p 值为 "
    "{p_of_both}。p 值是指：在省内随机置换综试区时，"
    "所得影响（不论升降）与其标准误之比至少同样大的频率。"
    "假如综试区带来的变化在各城市、获批后各年都相同，则按校正后的 p 值，"
    "{rise} 的上升或 {fall} 的下降有八成机会被发现；"
    "[其他形式的变化](docs/evidence/primary-test.md#how-often-it-rejects)"
    "被发现的机会可能更大，也可能更小（{run_zh}）。"
)
#: The picture of the README, with what it shows in words.
PICTURE = (
    "![Estimated change with a zone: this test {estimate}, with an interval from {interval}; the "
    "published study's method on the same data {province_estimate}, with a narrow "
    "interval from errors clustered by pair and one from {province_interval} that allows for "
    "shocks common to a province; shaded, uniform changes that this test finds in at least four "
    "of five cases]"
    "(docs/images/answer.svg)"
)
PICTURE_IN_CHINESE = (
    "![综试区所带来变化的估计值：本检验 {estimate}，"
    "置信区间 {interval_zh}；原研究的方法用于同样的数据 "
    "{province_estimate}，按城市对聚类的置信区间很窄，"
    "考虑同省共同冲击的置信区间为 {province_interval_zh}；"
    "阴影为本检验至少有八成机会发现的一致变化](docs/images/answer_zh.svg)"
)
#: What the README says of the published study's method.
STUDY = (
    "The published study's method, applied to the same data in the study's years and for "
    "strongly tied pairs of cities, gives {pair_estimate}. With errors clustered by pair, as we "
    "assume (how the study computes its errors we have not seen), the interval is {pair_interval}: "
    "{n_pairs} pairs of cities count as separate pieces of evidence, although pairs with a city in "
    "common share its shocks. The interval that allows for cities in common is {dyadic_interval}; "
    "the one that allows for shocks common to a province is {province_interval}."
)
STUDY_IN_CHINESE = (
    "原研究（张兵兵等，2023）的方法用于同样的数据，"
    "取其较早的样本期与联系紧密的城市对，得到 "
    "{pair_estimate}。若按城市对聚类（这是我们的假定，未见到其标准误的算法），"
    "置信区间为 {pair_interval_zh}：{n_pairs} 个城市对被当作彼此独立的证据，"
    "而含同一城市的城市对会受到该城市的共同冲击。考虑这一点的置信区间为 "
    "{dyadic_interval_zh}；考虑同省共同冲击的置信区间为 "
    "{province_interval_zh}。"
)
#: The answer on the first page of the documentation.
INDEX = (
    "{title} in the delivered statistics: {estimate} (95 %: {interval}, {first_year} to "
    "{last_year}; {run})."
)
PARTS = {
    "answer": Part(ANSWER, FIGURES),
    "answer in chinese": Part(ANSWER_IN_CHINESE, FIGURES),
    "picture": Part(PICTURE, FIGURES),
    "picture in chinese": Part(PICTURE_IN_CHINESE, FIGURES),
    "study": Part(STUDY, FIGURES),
    "study in chinese": Part(STUDY_IN_CHINESE, FIGURES),
    "index": Part(INDEX, FIGURES),
}
