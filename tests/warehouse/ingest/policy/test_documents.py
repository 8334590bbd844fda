"""Policy texts as found: what each says of itself (looked up by hand), every format, and every kind
of bad file.
"""

import datetime

import pytest

from tests.warehouse.ingest.bad_files import zipped
from tests.warehouse.ingest.hostile_landings import word
from tests.warehouse.ingest.policy.small_pdf import text_pdf
from warehouse.ingest.errors import FileFault
from warehouse.ingest.policy.clauses import split_clauses
from warehouse.ingest.policy.cleaning import clean_text
from warehouse.ingest.policy.documents import build_policy_document, build_sketch
from warehouse.ingest.policy.html import visible_text
from warehouse.ingest.raw_table import FileOrigin

BATCH_5 = (
    "雄安新区 大同市 满洲里市 营口市 盘锦市 吉林市 黑河市 常州市 连云港市 淮安市 盐城市 宿迁市 "
    "湖州市 嘉兴市 衢州市 台州市 丽水市 "
    "安庆市 漳州市 莆田市 龙岩市 九江市 东营市 潍坊市 临沂市 南阳市 宜昌市 湘潭市 郴州市 梅州市 "
    "惠州市 中山市 江门市 湛江市 "
    "茂名市 肇庆市 崇左市 三亚市 德阳市 "
    "绵阳市 遵义市 德宏傣族景颇族自治州 延安市 天水市 西宁市 乌鲁木齐市"
)
BATCH_2 = "天津市 上海市 重庆市 合肥市 郑州市 广州市 成都市 大连市 宁波市 青岛市 深圳市 苏州市"
BATCH_7 = (
    "廊坊 Langfang Cangzhou Yuncheng Baotou Anshan Yanji Tongjiang Bengbu Nanping Ningde Pingxiang "
    "Xinyu Yichun Ji'an Zaozhuang Jining "
    "Tai'an"
)

#: File, number, date, zones, issuer, last day in force: read by hand; None where the text does not
#: state it.
STATED = [
    ("01", "国函〔2020〕47号", None, BATCH_5, None, None),
    ("02", "国函〔2016〕17号", None, BATCH_2, None, None),
    ("03", "国函〔2022〕126号", "2022-11-14", BATCH_7, "国务院", None),
    ("04", "粤府函〔2016〕119号", "2016-05-11", "广州 深圳", "广东省人民政府", None),
    ("05", None, "2016-05-03", "郑州", "河南省人民政府", None),
    ("06", "苏政发〔2020〕46号", "2020-06-04", "徐州 南通", "江苏省人民政府", None),
    ("07", None, "2020-07-23", "湖州 嘉兴 衢州 台州 丽水", "浙江省人民政府", None),
    ("08", None, "2022-09-22", "鄂尔多斯", None, None),
    ("09", "湘政发〔2023〕9号", "2023-07-31", "衡阳 株洲", "湖南省人民政府", None),
    ("10", None, "2023-05-18", "枣庄 济宁 泰安 德州 聊城 滨州 菏泽市", "山东省人民政府", None),
    ("11", "同政办发〔2021〕46号", None, "大同市", "大同市人民政府办公室", None),
    ("12", "财税〔2018〕103号", None, "", None, None),
    ("13", None, "2025-09-03", "三明", "三明市人民政府办公室", "2027-12-31"),
    ("14", "浙政办发〔2024〕27号", "2024-08-23", "", "浙江省人民政府办公厅", "2027-12-31"),
    ("15", None, "2022-02-17", "鄂尔多斯市 扬州市 镇江市", None, None),
]

PLAN = """某某省人民政府关于印发中国(甲州)跨境电子商务综合试验区实施方案的通知
某政发〔2020〕5号
甲州市人民政府，省有关部门：
现将方案印发给你们，请认真贯彻执行。
某某省人民政府
二〇二〇年十一月二十三日
一、总体要求
（一）指导思想。坚持创新发展；坚持开放合作。
二、主要任务
1.支持企业建设公共海外仓。
①给予补贴。
"""


def read(data: bytes, name: str) -> dict[str, object]:
    return build_policy_document(data, FileOrigin("policy_texts", None, name)).to_pylist()[0]


@pytest.mark.shared
@pytest.mark.parametrize(("number", "document_no", "issued", "zones", "issuer", "until"), STATED)
def test_what_the_fifteen_texts_state(
    shared_dir, number, document_no, issued, zones, issuer, until
):
    (file,) = (shared_dir / "landing" / "policy_texts").glob(f"{number}_*")
    found = read(file.read_bytes(), file.name)
    dates = tuple(value and str(value) for value in (found["issue_date"], found["in_force_to"]))
    assert (found["document_no"], *dates, found["issuer"]) == (document_no, issued, until, issuer)
    assert found["zone_texts"] == zones.split()
    assert ("issue_date" in found["not_stated"]) == (issued is None)


# a text box stands twice in a file: once more for old programs
OLDER = "http://schemas.openxmlformats.org/markup-compatibility/2006"
FALLBACK = f'<a:Fallback xmlns:a="{OLDER}"><w:p><w:t>给予补贴。</w:t></w:p></a:Fallback>'


def docx(body: str, extra: dict[str, bytes] | None = None, before: str = "") -> bytes:
    document = word(*body.split("\n"), before=before)
    document = document.replace(b"</w:body>", FALLBACK.encode() + b"</w:body>")
    return zipped({"word/document.xml": document} | (extra or {}))


def html(body: str) -> bytes:
    hidden = "<script>document.write('财政补贴');</script><style>p{}</style>"
    return (
        "<!DOCTYPE html><html><head>"
        + hidden
        + "</head><body><p>"
        + body.replace("\n", "</p>\n<p>")
        + "</p></body></html>"
    ).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", PLAN.encode()),
        ("a.txt", PLAN.encode("gb18030")),
        ("a.txt", b"\xef\xbb\xbf" + PLAN.replace("\n", "\r\n").encode()),
        (
            "a.txt",
            PLAN.replace("试验区", "試驗區").replace("补贴", "補貼").replace("开", "開").encode(),
        ),
        ("a.txt", PLAN.replace("省人民政府\n", "省人民*\n").encode()),
        ("a.txt", PLAN.replace("省有关部门：\n", "省有关部门:").encode()),
        ("a.txt", PLAN.replace("省有关部门：\n", "省有关部门：").encode()),
        ("a.txt", PLAN.replace("企业", "企🚀业").replace("海外", "海\u200b外").encode()),
        ("a.md", PLAN.replace("一、", "## 一、").replace("公共海外仓", "**公共海外仓**").encode()),
        ("a.html", html(PLAN)),
        ("a.docx", docx(PLAN)),
        ("a.pdf", text_pdf(PLAN)),
    ],
)
def test_every_format_gives_the_same_document(name, data):
    found = read(data, name)
    assert (found["document_no"], found["issue_date"]) == (
        "某政发〔2020〕5号",
        datetime.date(2020, 11, 23),
    )
    assert (found["issuer"], found["zone_texts"], found["document_type"]) == (
        "某某省人民政府",
        ["甲州"],
        "实施方案",
    )
    clauses = [(c["marker"], c["clause_kind"], c["clause_text"]) for c in found["clauses"]][6:]
    assert clauses == [
        ("一、", "heading", "总体要求"),
        ("（一）", "heading", "指导思想。"),
        (None, "body", "坚持创新发展；"),
        (None, "body", "坚持开放合作。"),
        ("二、", "heading", "主要任务"),
        ("1.", "heading", "支持企业建设公共海外仓。"),
        ("①", "body", "给予补贴。"),
    ]


RELATION = (
    '<Relationships><Relationship Id="r" Type="http://x/attachedTemplate" '
    'Target="http://x.invalid/t" TargetMode="External"/>'
)
RELATION += "</Relationships>"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"", "an empty file"),
        ("a.txt", b"\xef\xbb\xbf \n\n", "an empty file"),
        ("a.doc", PLAN.encode(), r"found '\.doc'"),
        ("a.txt", b"\x00\x01\x02" * 100, "binary data"),
        ("a.txt", ("The quick brown fox jumps. " * 40).encode(), "a text in Chinese"),
        ("a.txt", bytes(range(0x80, 0xFF)) * 20, "bytes that are readable text in none"),
        ("a.txt", b"%PDF-1.4 ...", r"beginning of a \.pdf file"),
        ("a.pdf", PLAN.encode(), r"beginning of a \.txt file"),
        ("a.pdf", b"%PDF-1.4\nnonsense", "cannot be parsed"),
        ("a.docx", docx(PLAN, {"word/vbaProject.bin": b"x"}), "a macro project"),
        (
            "a.docx",
            docx(PLAN, {"word/_rels/settings.xml.rels": RELATION.encode()}),
            "outside attachedTemplate",
        ),
        (
            "a.docx",
            docx(PLAN, before='<!DOCTYPE a [<!ENTITY b "c">]>'),
            "document type",
        ),
        ("a.docx", docx(PLAN)[:200], "broken or protected archive"),
        ("a.html", html("only <b>scripts</b>"), "a text in Chinese"),
        (
            "a.html",
            html(PLAN + "<p>&#" + "9" * 5_000 + ";</p>"),
            "a web page; found one that cannot be parsed",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(name, data, reason):
    with pytest.raises(FileFault, match=reason):
        read(data, name)


@pytest.mark.parametrize(
    "found",
    [
        PLAN,
        PLAN.replace("企业", "企🚀业"),
        PLAN.replace("海外仓", "海 外 仓"),
        "  " + PLAN.replace("\n", "\n\n"),
    ],
)
def test_places_lead_back_to_the_text_as_found(found):
    for clause in split_clauses(clean_text(found), found):
        place = found[clause["char_start"] : clause["char_end"]]
        kept = [sign for sign in place if sign not in " 🚀"]
        assert "".join(kept).endswith(clause["clause_text"].replace(" ", ""))
        assert clause["line_no"] == found.count("\n", 0, clause["char_start"]) + 1


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        *(
            (text, "issue_date", dated)
            for text, dated in (
                ("某市人民政府\n2019年3月5日\n", datetime.date(2019, 3, 5)),
                ("发布日期：2019-03-08\n成文日期：2019-03-05\n", datetime.date(2019, 3, 5)),
                ("2019年3月5日的会议决定推进改革。\n", None),
                ("2019.08.04\n某市人民政府\n2019年7月23日\n", datetime.date(2019, 7, 23)),
                ("某市人民政府\n2019年2月31日\n", None),
                ("某市人民政府\n二〇二二年十月三十日\n", datetime.date(2022, 10, 30)),
            )
        ),
        (
            "本措施自2020年1月1日起施行，有效期3年。\n",
            "in_force_to",
            datetime.date(2023, 1, 1),
        ),
        ("本措施有效期至2025年12月31日。\n", "in_force_to", datetime.date(2025, 12, 31)),
        ("本措施自印发之日起施行。\n", "in_force_to", None),
        (
            "某市人民政府\n2019年3月5日\n本措施有效期至2025年11月31日。\n",
            "not_stated",
            ["document_no", "issuer", "zone_texts", "in_force_to"],
        ),
        (
            "依据某政发〔2018〕3号办理。\n本措施施行后，《旧措施》(某某政发〔2017〕12号)同时废止。\n",
            "repealed_numbers",
            ["某某政发〔2017〕12号"],
        ),
    ],
)
def test_dates_and_force_are_read_where_the_document_states_them(text, name, value):
    body = "关于支持跨境电子商务发展的若干措施\n一、支持企业建设海外仓，开拓国际市场。\n"
    assert read((body + text).encode(), "a.txt")[name] == value


@pytest.mark.parametrize(
    ("head", "number"),
    [
        ("某政发〔2020〕5号", "某政发〔2020〕5号"),
        ("根据《某某省通知》（某政发〔2019〕3号）", None),
        ("根据〈某某省通知〉（某政发〔2019〕3号）", None),
        # two titles, the second behind the number of the first
        ("根据《甲通知》（某政发〔2019〕3号）、《乙通知》", None),
        ("根据《甲通知》（某政发〔2019〕3号），某政发〔2020〕5号", "某政发〔2020〕5号"),
    ],
)
def test_the_number_of_another_document_is_not_that_of_this_one(head, number):
    text = PLAN.replace("某政发〔2020〕5号", head, 1)
    assert read(text.encode(), "a.txt")["document_no"] == number


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (
            "• 标 题 某省人民政府关于支持跨境电子商务发展的意见",
            "某省人民政府关于支持跨境电子商务发展的意见",
        ),
        ("标题要求较高的企业支持政策", "标题要求较高的企业支持政策"),
        (
            "某市商务局关于开展专项资金\n(跨境电商建设事项)申报工作的通知",
            "某市商务局关于开展专项资金(跨境电商建设事项)申报工作的通知",
        ),
        ("某市支持跨境电商的办法\n(跨境电商建设事项)申报工作的通知", "某市支持跨境电商的办法"),
    ],
)
def test_a_title_is_whole_and_has_no_label(head, title):
    text = f"首页\n{head}\n某政发〔2020〕5号\n一、支持企业建设海外仓，开拓国际市场。\n"
    assert read(text.encode(), "a.txt")["title"] == title


# the second has as many signs as any
@pytest.mark.parametrize("sign", ["1.", "（二十一）、"])
def test_a_sign_alone_on_a_line_belongs_to_the_next_line(sign):
    text = f"某市人民政府关于支持跨境电商发展的意见\n{sign}\n  推动金融创新，完善支付体系。\n"
    clauses = read(text.encode(), "a.txt")["clauses"]
    assert [(c["marker"], c["clause_text"], c["line_no"]) for c in clauses[1:]] == [
        (sign, "推动金融创新，完善支付体系。", 2)
    ]


def test_sketch_estimates_the_share_of_common_text():
    codes = [0x4E00 + (n * n * 7919 + n * 104729) % 20000 for n in range(8000)]
    text = "".join(map(chr, codes))
    whole, half = set(build_sketch(text).tolist()), set(build_sketch(text[:4000]).tolist())
    assert half <= whole
    assert 0.4 < len(half) / len(whole) < 0.6
    assert 8000 / 16 * 0.8 < len(whole) < 8000 / 16 * 1.2
    assert build_sketch("短").size == 0


LETTER = (
    "省有关部门:\n现将《中国(甲州)跨境电子商务综合试验区实施方案》《中国(乙州)跨境电子商务综合试验区实施方案》印发给你们，"
    "请认真组织实施。\n"
)


@pytest.mark.parametrize(
    ("text", "zones", "rule"),
    [
        (LETTER + "某省人民政府\n2020年8月27日\n", ["甲州", "乙州"], "title"),
        ("站点导航\n" * 14 + LETTER, ["甲州", "乙州"], "title"),
        (
            "为做好中国(甲州)跨境电子商务综合试验区(以下简称综试区)建设工作，制定本方案。\n",
            ["甲州"],
            "purpose",
        ),
        ("中國(南(nán)京)跨境電子(zǐ)商(shāng)務綜合試驗區實施方案\n", ["南京"], "title"),
        ("为学习《中国(甲州)跨境电子商务综合试验区实施方案》的经验，制定本措施。\n", [], None),
        ("企业学习中国(甲州)跨境电子商务综合试验区的经验。\n", [], None),
    ],
)
def test_zones_of_covering_letters_and_opening_sentences(text, zones, rule):
    found = read((text + "一、支持企业建设海外仓(app)，开拓国际市场。\n").encode(), "a.txt")
    assert (found["zone_texts"], found["zone_rule"]) == (zones, rule)
    assert "海外仓(app)" in found["clauses"][-1]["clause_text"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>一</p><p>二&amp;三</p>", "\n一\n二&三\n"),
        ("<html><head><title>题</title><style>x{}</style></head>文", "\n题\n文"),
        ("甲<script>var a='<p>no</p>'</script>乙", "甲乙"),
        ("甲<!-- no -->乙<br/>丙\t\n丁", "甲乙\n丙 丁"),
        ("<textarea>no</textarea>甲<a href='x'>乙</a>", "甲乙"),
        ("<![if x]>甲<![endif]>", "甲"),
    ],
)
def test_the_text_is_what_a_reader_sees(page, text):
    assert visible_text(page) == text
