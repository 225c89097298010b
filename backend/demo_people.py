"""The demo's units and people: bodies of the Fushun paper of 2020, persons made up. What they do is elsewhere."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from backend.columns import uuid7
from backend.people import passwords
from backend.people.commands import add_person, grant_role
from backend.roles import SYSTEM, Actor, Grant, Role
from backend.units import commands
from backend.units.rules import UnitKind

FUSHUN, XINBIN, QINGYUAN, FUSHUN_COUNTY = "210400000000", "210422000000", "210423000000", "210421000000"
SHANGJIAHE, YONGLING = "210422108000", "210422102000"
FOUNDED = date(2019, 3, 1)  # after the reform of 2018 that made 医保局 and 卫健委

G, D, P = UnitKind.government, UnitKind.department, UnitKind.party

# Short name: full name, kind, region, other names. Short names are the paper's own.
UNITS: dict[str, tuple[str, UnitKind, str, tuple[str, ...]]] = {
    "市脱贫攻坚领导小组": ("抚顺市脱贫攻坚领导小组", UnitKind.work_group, FUSHUN, ()),
    "市扶贫办": ("抚顺市扶贫开发办公室", D, FUSHUN, ("市扶贫开发办公室", "抚顺市扶贫办")),
    "市委督查室": ("中共抚顺市委督查室", P, FUSHUN, ()),
    "市政府督考办": ("抚顺市人民政府督查考核办公室", D, FUSHUN, ("市政府督查考核办公室",)),
    "市农业农村局": ("抚顺市农业农村局", D, FUSHUN, ()),
    "市卫健委": ("抚顺市卫生健康委员会", D, FUSHUN, ("市卫生健康委",)),
    "市医保局": ("抚顺市医疗保障局", D, FUSHUN, ("市医疗保障局",)),
    "市住建局": ("抚顺市住房和城乡建设局", D, FUSHUN, ("市住房城乡建设局",)),
    "市教育局": ("抚顺市教育局", D, FUSHUN, ()),
    "市民政局": ("抚顺市民政局", D, FUSHUN, ()),
    "市人社局": ("抚顺市人力资源和社会保障局", D, FUSHUN, ("市人力资源社会保障局",)),
    "市水务局": ("抚顺市水务局", D, FUSHUN, ()),
    "市农业银行": ("中国农业银行股份有限公司抚顺分行", UnitKind.bank, FUSHUN, ("农业银行抚顺分行",)),
    "新抚区": ("抚顺市新抚区人民政府", G, "210402000000", ("新抚区政府",)),
    "东洲区": ("抚顺市东洲区人民政府", G, "210403000000", ("东洲区政府",)),
    "望花区": ("抚顺市望花区人民政府", G, "210404000000", ("望花区政府",)),
    "顺城区": ("抚顺市顺城区人民政府", G, "210411000000", ("顺城区政府",)),
    "抚顺县": ("抚顺县人民政府", G, FUSHUN_COUNTY, ("抚顺县政府",)),
    "新宾县": ("新宾满族自治县人民政府", G, XINBIN, ("新宾满族自治县", "新宾县政府")),
    "清原县": ("清原满族自治县人民政府", G, QINGYUAN, ("清原满族自治县", "清原县政府")),
    "新宾县水务局": ("新宾满族自治县水务局", D, XINBIN, ()),
    "新宾县教育局": ("新宾满族自治县教育局", D, XINBIN, ()),
    "清原县住建局": ("清原满族自治县住房和城乡建设局", D, QINGYUAN, ()),
    "上夹河镇": ("新宾满族自治县上夹河镇人民政府", G, SHANGJIAHE, ("上夹河镇政府",)),
    "永陵镇": ("新宾满族自治县永陵镇人民政府", G, YONGLING, ("永陵镇政府",)),
}
LEADS = ("市农业农村局", "市卫健委", "市医保局", "市住建局", "市教育局", "市民政局", "市人社局", "市水务局")
COUNTIES = ("新抚区", "东洲区", "望花区", "顺城区", "抚顺县", "新宾县", "清原县")

# Words of papers that stand for several units: name, region, members.
GROUPS = (
    ("各县区", FUSHUN, COUNTIES),
    ("各乡镇", XINBIN, ("上夹河镇", "永陵镇")),
    ("成员单位", FUSHUN, ("市扶贫办", *LEADS)),
)

# Username: name, unit, role.
PEOPLE: dict[str, tuple[str, str, Role]] = {
    "wang.inspector": ("王建国", "市扶贫办", Role.inspector),
    "sun.inspector": ("孙丽华", "市政府督考办", Role.inspector),
    "liu.lead": ("刘志强", "市扶贫办", Role.team_lead),
    "zhao.handler": ("赵明", "新宾县水务局", Role.unit_handler),
    "qian.principal": ("钱卫东", "新宾县水务局", Role.unit_principal),
    "tang.handler": ("唐宇", "上夹河镇", Role.unit_handler),
    "zheng.handler": ("郑海涛", "清原县住建局", Role.unit_handler),
    "li.reviewer": ("李红梅", "市水务局", Role.lead_unit_reviewer),
    "he.reviewer": ("何俊", "市住建局", Role.lead_unit_reviewer),
    "jiang.reviewer": ("姜楠", "市教育局", Role.lead_unit_reviewer),
    "han.reviewer": ("韩立军", "市农业农村局", Role.lead_unit_reviewer),
    "tian.reviewer": ("田秀英", "市卫健委", Role.lead_unit_reviewer),
    "shen.reviewer": ("沈洁", "市医保局", Role.lead_unit_reviewer),
    "pan.reviewer": ("潘志远", "市民政局", Role.lead_unit_reviewer),
    "dong.reviewer": ("董海燕", "市人社局", Role.lead_unit_reviewer),
    "zhou.staff": ("周晓燕", "市扶贫办", Role.supervision_staff),
    "wu.leader": ("吴振华", "市扶贫办", Role.supervision_leader),
    "chen.viewer": ("陈立新", "市脱贫攻坚领导小组", Role.leader_viewer),
    "guo.viewer": ("郭永生", "抚顺县", Role.leader_viewer),
    "ma.admin": ("马超然", "市扶贫办", Role.sys_admin),
    "lin.auditor": ("林静", "市委督查室", Role.security_auditor),
}


@dataclass(frozen=True, slots=True)
class Login:
    """What a person types to come in. The only moment at which the password is known in clear."""

    role: Role
    username: str
    password: str
    person: str
    unit: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody and every unit of the story: people by the first part of their username, units by short name."""

    people: dict[str, Actor]
    units: dict[str, UUID]

    def __getitem__(self, name: str) -> Actor:
        return self.people[name]


def logins() -> list[Login]:
    """New random passwords for everybody."""
    return [Login(role, username, passwords.made_up(), name, unit) for username, (name, unit, role) in PEOPLE.items()]


async def add_units() -> dict[str, UUID]:
    """Every unit with its other names, and the groups, all valid from 2019; regions are there."""
    units = {short_name: uuid7() for short_name in UNITS}
    for short_name, (name, kind, region, others) in UNITS.items():
        id = units[short_name]
        await commands.add_unit(
            SYSTEM, id=id, name=name, short_name=short_name, kind=kind, region=region, valid_from=FOUNDED
        )
        for other in (short_name, *others):
            await commands.add_alias(SYSTEM, id=uuid7(), unit=id, name=other)
    for name, region, members in GROUPS:
        group = await commands.set_group(SYSTEM, name=name, region=region)
        for member in members:
            await commands.add_member(SYSTEM, group=group, unit=units[member], valid_from=FOUNDED)
    return units


async def add_people(units: dict[str, UUID], logins: list[Login]) -> Cast:
    """An account and a role for every login, and the Actor each will be once signed in."""
    people: dict[str, Actor] = {}
    for login in logins:
        person, unit = uuid7(), units[login.unit]
        await add_person(
            SYSTEM, id=person, username=login.username, name=login.person, unit=unit, password=login.password
        )
        await grant_role(SYSTEM, id=uuid7(), person=person, unit=unit, role=login.role)
        grant = Grant(login.role, unit, UNITS[login.unit][2])
        people[login.username.split(".")[0]] = Actor(person, login.person, (grant,))
    return Cast(people, units)
