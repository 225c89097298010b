"""The topics an office starts with: the words of the founding papers, as data that an office may add to."""

from backend.db import raw, transaction

# 大类 of two digits, their 小类 of four. Seed 004 (二 to 十一), and the list of domain.md a.5.
TOPICS = {
    "01": "责任落实",
    "0101": "县级主体责任",
    "0102": "行业部门责任",
    "0103": "乡村责任",
    "02": "政策落实",
    "0201": "政策知晓",
    "0202": "政策兑现",
    "03": "“三保障”和饮水安全",
    "0301": "义务教育",
    "0302": "基本医疗",
    "0303": "住房安全",
    "0304": "饮水安全",
    "04": "增收措施",
    "0401": "产业帮扶",
    "0402": "就业帮扶",
    "0403": "消费扶贫",
    "0404": "收入核算",
    "05": "工作落实",
    "0501": "资金项目",
    "0502": "驻村帮扶",
    "0503": "台账与信息",
    "0504": "环境卫生",
    "06": "防止返贫",
    "0601": "脱贫户监测",
    "0602": "边缘户监测",
    "0603": "临时救助",
    "07": "金融帮扶",
    "0701": "小额信贷",
    "0702": "贷款贴息",
    "08": "减轻基层负担",
    "0801": "会议和文件",
    "0802": "报表和填报",
}


async def ensure_topics() -> None:
    """Make the topics that are not there; one that is there keeps the name the office gave it."""
    async with transaction():
        await raw(
            "INSERT INTO topic (code, parent, name) SELECT code, nullif(left(code, -2), ''), name "
            "FROM unnest($1::text[], $2::text[]) AS given (code, name) ORDER BY code ON CONFLICT DO NOTHING",
            list(TOPICS),
            list(TOPICS.values()),
        )
