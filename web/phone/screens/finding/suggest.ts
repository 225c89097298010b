// Which unit is probably responsible: what was named before for this topic here, else the office whose matter it is.
// A suggestion, taken with one tap or not at all; nothing is filled in by itself.

export interface Unit {
  id: string
  name: string
  short_name: string
  kind: string
  region: string
}

/** A topic with the units that were named for it, the latest first; from this phone's forms and the day's findings. */
export type Habit = Record<string, string[]>

/** Words of topics (大类、小类) and of the names of the offices whose matter they are (domain.md a.5). */
const MATTERS: [RegExp, RegExp][] = [
  [/饮水|供水|管网/, /水务|水利/],
  [/住房|危房|环境|卫生设施/, /住建|住房/],
  [/教育|控辍|学校/, /教育/],
  [/医疗|医保|基本医疗/, /医保|医疗保障|卫健|卫生健康/],
  [/就业|务工|培训/, /人社|人力资源/],
  [/产业|收入|消费|增收/, /农业农村/],
  [/救助|低保|残疾|养老/, /民政/],
  [/信贷|贷款|金融|贴息/, /银行|信用社/],
  [/监测|返贫|驻村|台账|资金/, /扶贫|乡村振兴/],
]

export type Role = 'responsible' | 'lead'

/** The units of a place in the order of likeliness; those without any ground for it come last, by name. */
export function ranked(units: readonly Unit[], topicNames: readonly string[], topic: string, habit: Habit, role: Role): Unit[] {
  const scored = units.map((unit) => ({ unit, score: score(unit, topicNames, topic, habit, role) }))
  return scored
    .sort((one, other) => other.score - one.score || one.unit.name.localeCompare(other.unit.name, 'zh-CN'))
    .map(({ unit }) => unit)
}

/** The likeliest, if anything speaks for it. */
export function suggested(units: readonly Unit[], topicNames: readonly string[], topic: string, habit: Habit, role: Role): Unit | null {
  if (!topic) return null
  const first = ranked(units, topicNames, topic, habit, role)[0]
  return first && score(first, topicNames, topic, habit, role) >= GROUND ? first : null
}

const GROUND = 40

function score(unit: Unit, topicNames: readonly string[], topic: string, habit: Habit, role: Role): number {
  const before = habit[`${role}/${topic}`]?.indexOf(unit.id) ?? -1
  const used = before >= 0 ? 100 - before : 0
  const matter = topicNames.some((name) => MATTERS.some(([word, office]) => word.test(name) && office.test(unit.name)))
  // Whoever does the work sits in the county, whoever reviews it in the city (domain.md a.1).
  const level = unit.region.endsWith('00000000') ? 'city' : unit.region.endsWith('000000') ? 'county' : 'below'
  const near = role === 'responsible' ? { city: 0, county: 10, below: 5 }[level] : { city: 10, county: 0, below: -20 }[level]
  return used + (matter ? GROUND : 0) + near
}

/** The units last named for a topic, the newest first, a handful. */
export function learned(habit: Habit, role: Role, topic: string, ids: readonly string[]): Habit {
  const key = `${role}/${topic}`
  const before = (habit[key] ?? []).filter((id) => !ids.includes(id))
  return { ...habit, [key]: [...ids, ...before].slice(0, 5) }
}

/** Topics for the first row: those used last and most, the newest first. */
export function frequent(used: readonly string[], most: number): string[] {
  const weight = new Map<string, number>()
  used.forEach((code, age) => weight.set(code, (weight.get(code) ?? 0) + 1 / (1 + age / 4)))
  return [...weight].sort((one, other) => other[1] - one[1]).slice(0, most).map(([code]) => code)
}
