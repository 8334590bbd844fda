"""Simulated policy texts: a plan for each zone in the manner of real ones, with a planted intensity
of every tool.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.ingest.simulation.files import write_bytes

NOTE = "[模拟文本 simulated text, not a policy document]"

#: Sentences by tool, written for this project; {n} takes a number, {goods} a trade of the zone:
#: that makes some wording new.
SENTENCES = {
    "talent": (
        "组织跨境电商业务培训，全年培训{n}00人次。",
        "引进跨境电商高层次人才，完善人才公寓配套。",
        "深化校企合作，建设{n}个实训基地。",
    ),
    "capital": (
        "对新设立的跨境电商企业给予一次性奖励{n}万元。",
        "市财政安排专项资金{n}00万元支持企业发展。",
    ),
    "technology_information": (
        "建设大数据平台，实现部门之间数据共享。",
        "建立信息共享体系，统一数据接口。",
        "支持{goods}企业应用人工智能开展技术研发。",
    ),
    "infrastructure": (
        "建设{n}个{goods}跨境电商产业园区，完善仓储物流设施。",
        "新建保税仓库，开通{n}条国际货运航线。",
    ),
    "public_service": (
        "建设线上综合服务平台，提供一站式服务。",
        "设立企业服务专员，开展代办服务。",
    ),
    "goal_planning": (
        "到{year}年，跨境电商交易额突破{n}0亿元。",
        "力争三年内培育{goods}企业{n}00家以上。",
    ),
    "finance": (
        "鼓励银行开发信用贷款产品，解决企业融资难问题。",
        "扩大出口信用保险覆盖面，便利跨境支付结算。",
    ),
    "tax": ("落实零售出口增值税、消费税免税政策。", "加快出口退税进度，推行所得税核定征收办法。"),
    "regulation": (
        "建立信用评价体系，对失信企业实施联合惩戒。",
        "完善风险防控体系，健全商品质量追溯制度。",
    ),
    "strategic_measures": (
        "成立工作领导小组，加强统筹协调和督促检查。",
        "培育{goods}自主品牌，推动{goods}产业集群转型升级。",
    ),
    "government_procurement": (
        "将跨境电商服务纳入政府采购目录。",
        "通过政府购买服务方式开展统计监测。",
    ),
    "outsourcing": ("发展服务外包，培育{n}家外包企业。", "委托第三方专业机构运营线上平台。"),
    "trade_facilitation": (
        "推行清单核放、汇总申报通关模式，提高通关效率。",
        "优化检验检疫流程，实行快速验放。",
    ),
    "overseas_institutions": (
        "支持企业建设{n}个公共海外仓。",
        "组织{goods}企业参加境外展会，设立海外分支机构。",
    ),
}
#: Trades that a zone's plan may name, apart by a space.
TRADES = (
    "陶瓷 五金 箱包 眼镜 灯具 家具 玩具 服装 鞋靴 袜业 丝绸 茶叶 毛绒 卫浴 钟表 乐器 渔具 自行车 "
    "假发 刺绣 木雕 竹编 藤艺 玻璃 轴承 水泵 "
    "阀门 模具 锁具 刀剪 电机 缝纫机 拉链 纽扣 雨伞 文具 地毯 羊绒 皮草 瓷砖 石材 蜡烛 花卉 干果 "
    "蜂蜜 香料 酱料 罐头 海产 果蔬"
)
#: The tools that work in the simulation, those of the class demand; the others are ceremony.
EFFECTIVE_TOOLS = (
    "government_procurement",
    "outsourcing",
    "trade_facilitation",
    "overseas_institutions",
)
_NUMERALS = "一二三四五六七八九十"


def draw_policy_tools(
    pilot_zones: pd.DataFrame, seed: int, last_year: int | None = None
) -> pd.DataFrame:
    """Return how many sentences of each tool the plan of each zone has.

    Parameters
    ----------
    pilot_zones : DataFrame
        Columns zone_name_zh, city_id, batch, approval_date (seed pilot_zones).
    seed : int
        The same seed and zones give the same numbers.
    last_year : int, optional
        Zones approved later get no text; by default those of all batches do.

    Returns
    -------
    DataFrame
        One row per zone: zone_name_zh, city_id, approved, issue_year and one column per tool.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 5]))
    dates = pd.to_datetime(pilot_zones["approval_date"])
    zones = pilot_zones.assign(approved=dates)[dates.dt.year <= (last_year or 9999)].reset_index(
        drop=True
    )
    # the tools a zone leans on differ from zone to zone within a batch: that variation is what
    # identifies a tool
    counts = rng.poisson(rng.gamma(1.5, 1.2, (len(zones), len(SENTENCES))))
    tools = pd.DataFrame(counts, columns=list(SENTENCES))
    return pd.concat(
        [
            zones[["zone_name_zh", "city_id", "approved"]],
            zones["approved"].dt.year.rename("issue_year"),
            tools,
        ],
        axis=1,
    )


def effective_intensity(city_id: np.ndarray, tools: pd.DataFrame) -> np.ndarray:
    """Intensity of the tools that work in the simulation, `EFFECTIVE_TOOLS`: a city's sentences
    over the mean of all zones.

    Parameters
    ----------
    city_id : ndarray of int, shape (n_cities,)
    tools : DataFrame
        Result of `draw_policy_tools`. Of several zones of a city the first counts.

    Returns
    -------
    ndarray of float, shape (n_cities,)
        1 where a city has no zone in `tools`.
    """
    sentences = tools[list(EFFECTIVE_TOOLS)].sum(axis=1)
    by_city = (sentences / sentences.mean()).groupby(tools["city_id"]).first()
    return pd.Series(city_id).map(by_city).fillna(1.0).to_numpy(dtype=float)


def write_simulated_policy_texts(folder: Path, tools: pd.DataFrame, seed: int) -> None:
    """Write one plan per zone into `<folder>/policy_texts/`; the same seed and tools give the same
    bytes.

    Parameters
    ----------
    folder : Path
        A landing.
    tools : DataFrame
        Result of `draw_policy_tools`.
    seed : int
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 6]))
    for number, (zone, counts) in enumerate(
        zip(tools.itertuples(), tools[list(SENTENCES)].to_numpy(), strict=True), start=1
    ):
        text = _plan(zone.zone_name_zh, zone.approved, number, counts, rng)
        write_bytes(folder / "policy_texts" / f"{number:03d}_plan_simulated.txt", text.encode())


def _plan(
    name: str, approved: pd.Timestamp, number: int, counts: np.ndarray, rng: np.random.Generator
) -> str:
    """Return a plan: head, purpose, then the sentences under numbered headings of up to five, in an
    order of chance.
    """
    issued = approved + pd.Timedelta(days=int(rng.integers(20, 60)))
    lines = [
        NOTE,
        f"{name}人民政府关于印发中国({name.removesuffix('市')})跨境电子商务综合试验区实施方案的通知",
        f"模拟政发〔{issued.year}〕{number}号",
        "各县(区)人民政府，市政府各部门：",
        "现将实施方案印发给你们，请认真贯彻执行。",
        f"{name}人民政府",
        f"{issued.year}年{issued.month}月{issued.day}日",
    ]
    tools = np.repeat(list(SENTENCES), counts).tolist()
    sentences = [_sentence(tool, issued.year, rng) for tool in tools]
    order = rng.permutation(len(sentences))
    for start in range(0, len(order), 5):
        lines.append(f"{_chinese(start // 5 + 1)}、工作任务")
        lines += [
            f"{n}.{sentences[k]}" for n, k in enumerate(order[start : start + 5].tolist(), start=1)
        ]
    return "\n".join([*lines, ""])


def _sentence(tool: str, year: int, rng: np.random.Generator) -> str:
    pattern, trades = SENTENCES[tool][int(rng.integers(len(SENTENCES[tool])))], TRADES.split()
    return pattern.format(
        n=int(rng.integers(2, 10)), year=year + 3, goods=trades[int(rng.integers(len(trades)))]
    )


def _chinese(number: int) -> str:
    """Chinese numeral of 1 to 99."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_NUMERALS[tens - 1]}十"
    return head + (_NUMERALS[ones - 1] if ones else "")
