// What a person can do with an item: one act is one form, made of one or several moves of the server's table. Data only:
// which act is open comes from the item's `moves`, what a form asks stands here, how it is sent in acting.ts.
import { words } from '@/shared/words'
import { f } from './asking'
import type { From } from './options'
import type { Detail, Move, Verb } from './types'
import { w } from './words'

export type Values = Record<string, string | boolean | string[]>

export interface Choice {
  value: string
  label: string
}

/** `need`: the field of the server's `needs` that this input supplies; of several with the same one any does. */
export interface Field {
  name: string
  label: string
  kind: 'text' | 'line' | 'phone' | 'date' | 'percent' | 'choice' | 'people' | 'pick' | 'photos' | 'place' | 'tick'
  /** Of `pick`: the list it is chosen from, and how many at least; without that exactly one. */
  from?: From
  least?: number
  need?: string
  hint?: string
  /** Of `line`: so many characters at most; 50 where nothing is said. */
  most?: number
  choices?: Choice[]
  /** Asked only then. */
  when?: (values: Values) => boolean
}

export interface Act {
  id: string
  /** Its moves: the act is open when one of them is. */
  verbs: readonly Verb[]
  label: string
  /** The word of its receipt; without one it is answered at once or not at all (no id of its own to be sent under). */
  kind?: string
  path: (item: Detail, target: string) => string
  fields: (item: Detail, open: ReadonlySet<Verb>) => Field[]
  /** Which of the act's verbs these values mean: decides whose needs are asked. */
  means?: (values: Values) => Verb
  body: (values: Values, item: Detail, target: string) => Record<string, unknown>
  /** Under which id it is sent; a new one unless the act answers something that has one. */
  target?: (item: Detail) => string | undefined
  danger?: boolean
  /** Decided with the paper in view: the case file stands above the answer. */
  paper?: boolean
  /** The act that is the other answer, where that is another form. */
  otherwise?: string
  start?: (item: Detail) => Values
}

const base = (item: Detail) => `/api/rectifications/${item.id}`
const text = (values: Values, name: string) => String(values[name] ?? '').trim()
const given = (values: Values, name: string) => text(values, name) || null
const first = (values: Values, name: string) => list(values, name)[0] ?? null
const list = (values: Values, name: string) => (values[name] as string[] | undefined) ?? []
const choices = (labels: Record<string, string>): Choice[] => Object.entries(labels).map(([value, label]) => ({ value, label }))

const openExtension = (item: Detail) => item.extensions.find((one) => one.answer === null)
const openObjection = (item: Detail) => item.objections.find((one) => one.answer === null)
const openCheck = (item: Detail) => item.site_checks.find((one) => one.concluded_at === null && one.called_off_at === null)
const live = (item: Detail) => item.units.filter((one) => !one.ended_at)
const responsible = (item: Detail) => live(item).filter((one) => one.role === 'responsible')
const parts = (item: Detail): Choice[] => live(item).map((one) => ({ value: one.unit, label: `${one.name}（${w.value.unitRole[one.role]}）` }))
const openPublicObjection = (item: Detail) => item.publicity.flatMap((one) => one.objections).find((one) => one.answer === null)
const unconfirmed = (item: Detail) => [...item.hand_ins].reverse().find((one) => one.principal_answer === null)
export const openMeasures = (item: Detail) => item.measures.filter((one) => one.state === 'planned')

/** In the order in which they stand as buttons: what decides first, then a unit's own work, then what is rarer. */
export function acts(): Act[] {
  const t = f.value
  const opinion: Field = { name: 'opinion', label: t.opinion, kind: 'text', need: 'opinion' }
  return [
    {
      id: 'void', verbs: ['void', 'decline_void'], label: w.value.verb.void!, paper: true,
      path: (item) => `${base(item)}/voiding`, // acting.ts adds which of the two
      fields: () => [
        { name: 'answer', label: t.decision, kind: 'choice', choices: choices({ yes: t.void, no: t.keep }) },
        { name: 'note', label: t.reason, kind: 'text', need: 'note', when: (v) => v.answer === 'no' },
      ],
      means: (v) => (v.answer === 'no' ? 'decline_void' : 'void'),
      body: (v) => (v.answer === 'no' ? { note: text(v, 'note') } : {}),
    },
    {
      id: 'closure', verbs: ['close_out'], label: w.value.verb.close_out!, kind: 'review', paper: true, otherwise: 'return',
      path: (item) => `${base(item)}/closure`,
      fields: () => [opinion],
      body: (v) => ({ opinion: text(v, 'opinion') }),
    },
    {
      id: 'extension-decision', verbs: ['grant_extension', 'decline_extension'], label: w.value.verb.grant_extension!, paper: true,
      target: (item) => openExtension(item)?.id,
      path: (item, id) => `${base(item)}/extensions/${id}/decision`,
      fields: () => [
        { name: 'answer', label: t.decision, kind: 'choice', choices: choices({ yes: t.grant, no: t.decline }) },
        { name: 'due_on', label: t.grantedOn, kind: 'date', when: (v) => v.answer === 'yes' },
        opinion,
      ],
      means: (v) => (v.answer === 'no' ? 'decline_extension' : 'grant_extension'),
      body: (v) => ({ upheld: v.answer === 'yes', opinion: text(v, 'opinion'), due_on: v.answer === 'yes' ? given(v, 'due_on') : null }),
    },
    {
      id: 'objection-ruling', verbs: ['decline_objection', 'redirect', 'uphold_objection'], label: w.value.verb.decline_objection!,
      paper: true,
      target: (item) => openObjection(item)?.id,
      path: (item, id) => `${base(item)}/objections/${id}/decision`,
      fields: (_, open) => [
        {
          name: 'answer', label: t.decision, kind: 'choice',
          choices: choices({
            no: t.noObjection,
            ...(open.has('redirect') ? { other: t.redirect } : {}),
            ...(open.has('uphold_objection') ? { yes: t.upheld } : {}),
          }),
        },
        { name: 'to_unit', label: t.toUnit, kind: 'pick', from: 'units', need: 'to_unit', when: (v) => v.answer === 'other' },
        { name: 'due_on', label: t.newDue, kind: 'date', when: (v) => v.answer === 'other' },
        { name: 'note', label: t.reason, kind: 'text', need: 'note' },
      ],
      means: (v) => (v.answer === 'yes' ? 'uphold_objection' : v.answer === 'other' ? 'redirect' : 'decline_objection'),
      body: (v) => ({
        upheld: v.answer !== 'no', note: text(v, 'note'),
        ...(v.answer === 'other' ? { to_unit: first(v, 'to_unit'), due_on: given(v, 'due_on') } : {}),
      }),
    },
    {
      id: 'public-objection', verbs: ['decline_public_objection', 'uphold_public_objection'],
      label: w.value.verb.decline_public_objection!, paper: true,
      target: (item) => openPublicObjection(item)?.id,
      path: (item, id) => `${base(item)}/public-objections/${id}/decision`,
      fields: () => [
        { name: 'answer', label: t.decision, kind: 'choice', choices: choices({ no: t.publicDeclined, yes: t.publicUpheld }) },
        { name: 'note', label: t.reason, kind: 'text', need: 'note' },
      ],
      means: (v) => (v.answer === 'yes' ? 'uphold_public_objection' : 'decline_public_objection'),
      body: (v) => ({ upheld: v.answer === 'yes', note: text(v, 'note') }),
    },
    {
      id: 'confirmation', verbs: ['confirm_hand_in', 'withdraw_hand_in'], label: w.value.verb.confirm_hand_in!, paper: true,
      target: (item) => unconfirmed(item)?.id,
      path: (item, id) => `${base(item)}/hand-ins/${id}/confirmation`,
      fields: (_, open) => [
        {
          name: 'answer', label: t.decision, kind: 'choice',
          choices: choices({ yes: t.confirm, ...(open.has('withdraw_hand_in') ? { no: t.withdraw } : {}) }),
        },
        { name: 'note', label: t.saidBy, kind: 'text', need: 'note' },
      ],
      means: (v) => (v.answer === 'no' ? 'withdraw_hand_in' : 'confirm_hand_in'),
      body: (v) => ({ upheld: v.answer === 'yes', note: text(v, 'note') }),
    },
    {
      id: 'check', verbs: ['pass_check', 'fail_check'], label: w.value.verb.pass_check!, kind: 'site_check_conclusion',
      target: (item) => openCheck(item)?.id,
      path: (item, id) => `${base(item)}/site-checks/${id}/conclusion`,
      fields: (item) => [
        { name: 'answer', label: t.result, kind: 'choice', choices: choices({ passed: t.passed, failed: t.failed }) },
        { name: 'note', label: t.found, kind: 'text', need: 'note' },
        { name: 'evidence', label: t.photos, kind: 'photos', need: 'evidence' },
        {
          name: 'present', label: t.present, kind: 'people', need: 'checkers',
          choices: (openCheck(item)?.checkers ?? []).map((one) => ({ value: one.person, label: one.name })),
        },
        { name: 'position', label: t.here, kind: 'place' },
        { name: 'outside_reason', label: t.outside, kind: 'text', need: 'outside_reason' },
        { name: 'false_rectification', label: t.falsely, kind: 'tick', when: (v) => v.answer === 'failed' },
      ],
      means: (v) => (v.answer === 'failed' ? 'fail_check' : 'pass_check'),
      start: (item) => ({ present: (openCheck(item)?.checkers ?? []).map((one) => one.person) }),
      body: (v) => ({
        result: v.answer, note: text(v, 'note'), present: v.present ?? [], outside_reason: text(v, 'outside_reason'),
        position: v.position ? JSON.parse(String(v.position)) : null,
        false_rectification: v.answer === 'failed' && v.false_rectification === true,
      }),
    },
    {
      id: 'first-pass', verbs: ['pass_first'], label: w.value.verb.pass_first!, kind: 'review', paper: true, otherwise: 'return',
      path: (item) => `${base(item)}/first-pass`,
      fields: () => [opinion],
      body: (v) => ({ opinion: text(v, 'opinion') }),
    },
    {
      id: 'issue', verbs: ['issue'], label: w.value.verb.issue!,
      path: (item) => `${base(item)}/issue`,
      fields: (item) => [
        ...(live(item).length ? [{ name: 'without', label: t.without, kind: 'people', choices: parts(item), hint: t.withoutHint } as Field] : []),
        responsible(item).length
          ? { name: 'responsible_units', label: t.moreUnits, kind: 'pick', from: 'units', least: 0, need: 'responsible_units' }
          : { name: 'responsible_units', label: t.units, kind: 'pick', from: 'units', least: 1, need: 'responsible_units' },
        { name: 'asks', label: t.asks, kind: 'text' },
        { name: 'due_on', label: t.issueDue, kind: 'date', need: 'due_on', hint: t.issueDueHint },
        { name: 'due_text', label: t.dueText, kind: 'line', most: 200, need: 'due_on', hint: t.dueTextHint },
        { name: 'listed', label: t.listed, kind: 'tick' },
        { name: 'public', label: t.public, kind: 'tick' },
      ],
      start: (item) => ({ asks: item.asks }),
      body: (v) => ({
        without_units: list(v, 'without'), responsible_units: list(v, 'responsible_units'), asks: text(v, 'asks'),
        due_text: text(v, 'due_text'), due_on: given(v, 'due_on'),
        listed: v.listed === true, public: v.public === true,
      }),
    },
    {
      id: 'check-assignment', verbs: ['assign_check'], label: w.value.verb.assign_check!, kind: 'site_check',
      path: (item) => `${base(item)}/site-checks`,
      fields: () => [
        { name: 'checkers', label: t.checkers, kind: 'pick', from: 'checkers', least: 2, need: 'checkers', hint: t.checkersHint },
        { name: 'note', label: t.checkNote, kind: 'text' },
      ],
      body: (v) => ({ checkers: list(v, 'checkers'), note: text(v, 'note') }),
    },
    {
      id: 'publicity', verbs: ['publish'], label: w.value.verb.publish!, kind: 'publicity',
      path: (item) => `${base(item)}/publicity`,
      fields: () => [
        { name: 'text', label: t.publicText, kind: 'text', need: 'text', hint: t.publicTextHint },
        { name: 'starts_on', label: t.startsOn, kind: 'date' },
      ],
      body: (v) => ({ text: text(v, 'text'), starts_on: given(v, 'starts_on') }),
    },
    {
      id: 'acknowledgement', verbs: ['acknowledge'], label: w.value.verb.acknowledge!, kind: 'acknowledgement',
      path: (item) => `${base(item)}/acknowledgement`,
      fields: () => [
        { name: 'responsible_person', label: t.responsible, kind: 'line', need: 'responsible_person', hint: t.responsibleHint },
        { name: 'phone', label: t.phone, kind: 'phone', hint: t.phoneHint },
      ],
      body: (v) => ({ responsible_person: text(v, 'responsible_person'), phone: text(v, 'phone') }),
    },
    {
      id: 'hand-in', verbs: ['hand_in'], label: w.value.verb.hand_in!, kind: 'hand_in',
      path: (item) => `${base(item)}/hand-ins`,
      fields: () => [
        { name: 'evidence', label: t.after, kind: 'photos', need: 'evidence', hint: t.afterHint },
        { name: 'note', label: t.handIn, kind: 'text', need: 'note' },
        { name: 'finished_on', label: t.finishedOn, kind: 'date' },
        { name: 'confirmed_by', label: t.principal, kind: 'line', need: 'confirmed_by', hint: t.principalHint },
        { name: 'similar_sweep', label: t.similar, kind: 'text' },
      ],
      body: (v) => ({
        note: text(v, 'note'), finished_on: given(v, 'finished_on'), confirmed_by: text(v, 'confirmed_by'),
        similar_sweep: text(v, 'similar_sweep'),
      }),
    },
    {
      id: 'report', verbs: ['report'], label: w.value.verb.report!, kind: 'report',
      path: (item) => `${base(item)}/reports`,
      start: (item) => ({ percent: String(item.progress.at(-1)?.percent ?? 0) }),
      fields: (item) => [
        { name: 'percent', label: t.percent, kind: 'percent' },
        { name: 'note', label: t.progress, kind: 'text', need: 'note' },
        {
          name: 'lower_reason', label: t.lower, kind: 'text', need: 'lower_reason',
          when: (v) => Number(v.percent ?? 0) < (item.progress.at(-1)?.percent ?? 0),
        },
      ],
      body: (v) => ({ note: text(v, 'note'), percent: Number(v.percent ?? 0), lower_reason: text(v, 'lower_reason') }),
    },
    {
      id: 'measure', verbs: ['plan_measure'], label: w.value.verb.plan_measure!, kind: 'measure',
      path: (item) => `${base(item)}/measures`,
      fields: () => [
        { name: 'text', label: t.measure, kind: 'text', need: 'text' },
        { name: 'due_on', label: t.dueOn, kind: 'date' },
        { name: 'responsible_person', label: t.charged, kind: 'line' },
      ],
      body: (v) => ({ text: text(v, 'text'), due_on: given(v, 'due_on'), responsible_person: text(v, 'responsible_person') }),
    },
    {
      id: 'measure-end', verbs: ['finish_measure', 'drop_measure'], label: w.value.verb.finish_measure!,
      path: (item) => `${base(item)}/measures`, // acting.ts adds which one and how
      fields: (item) => [
        { name: 'measure', label: t.measureWhich, kind: 'choice', choices: openMeasures(item).map((one) => ({ value: one.id, label: one.text })) },
        { name: 'answer', label: t.ended, kind: 'choice', choices: choices({ completion: t.finished, dropping: t.dropped }) },
        { name: 'note', label: t.done, kind: 'text', need: 'note' },
      ],
      means: (v) => (v.answer === 'dropping' ? 'drop_measure' : 'finish_measure'),
      start: (item) => ({ answer: 'completion', ...(openMeasures(item).length === 1 ? { measure: openMeasures(item)[0]!.id } : {}) }),
      body: (v) => ({ note: text(v, 'note') }),
    },
    {
      id: 'extension', verbs: ['ask_extension'], label: w.value.verb.ask_extension!, kind: 'extension',
      path: (item) => `${base(item)}/extensions`,
      fields: () => [
        { name: 'due_on', label: t.wanted, kind: 'date', need: 'due_on' },
        { name: 'note', label: t.why, kind: 'text', need: 'note' },
        { name: 'done_so_far', label: t.soFar, kind: 'text' },
      ],
      body: (v) => ({ due_on: given(v, 'due_on'), note: text(v, 'note'), done_so_far: text(v, 'done_so_far') }),
    },
    {
      id: 'objection', verbs: ['object_to'], label: w.value.verb.object_to!, kind: 'objection',
      path: (item) => `${base(item)}/objections`,
      fields: () => [
        { name: 'ground', label: t.ground, kind: 'choice', need: 'ground', choices: choices(w.value.ground) },
        { name: 'note', label: t.reason, kind: 'text', need: 'note' },
        { name: 'evidence', label: t.proof, kind: 'photos' },
      ],
      body: (v) => ({ ground: given(v, 'ground'), note: text(v, 'note') }),
    },
    {
      id: 'look-back', verbs: ['look_back'], label: w.value.verb.look_back!, kind: 'look_back',
      path: (item) => `${base(item)}/look-backs`,
      fields: () => [
        { name: 'result', label: t.lookResult, kind: 'choice', need: 'result', choices: choices({ holds: t.holds, rebounded: t.rebounded }) },
        { name: 'note', label: t.found, kind: 'text', need: 'note' },
        { name: 'evidence', label: t.proof, kind: 'photos' },
      ],
      body: (v) => ({ result: given(v, 'result'), note: text(v, 'note') }),
    },
    {
      id: 'public-objection-taken', verbs: ['take_public_objection'], label: w.value.verb.take_public_objection!, kind: 'public_objection',
      path: (item) => `${base(item)}/publicity/${item.publicity.at(-1)!.id}/objections`,
      fields: () => [{ name: 'note', label: t.publicObjection, kind: 'text', need: 'note' }],
      body: (v) => ({ note: text(v, 'note') }),
    },
    {
      id: 'resumption', verbs: ['resume'], label: w.value.verb.resume!, kind: 'resumption', paper: true,
      path: (item) => `${base(item)}/resumption`,
      fields: () => [
        { name: 'due_on', label: t.newDueNeeded, kind: 'date', need: 'due_on' },
        { name: 'note', label: t.reason, kind: 'text', need: 'note' },
      ],
      body: (v) => ({ due_on: given(v, 'due_on'), note: text(v, 'note') }),
    },
    {
      id: 'reopening', verbs: ['reopen'], label: w.value.verb.reopen!, kind: 'reopening', paper: true, danger: true,
      path: (item) => `${base(item)}/reopening`,
      fields: (item) => [
        { name: 'note', label: t.reason, kind: 'text', need: 'note' },
        { name: 'due_on', label: t.newDueNeeded, kind: 'date', need: 'due_on' },
        { name: 'evidence', label: t.newProof, kind: 'photos', need: 'evidence' },
        ...(responsible(item).length > 1
          ? [{ name: 'units', label: t.backTo, kind: 'people', choices: responsible(item).map((one) => ({ value: one.unit, label: one.name })) } as Field]
          : []),
      ],
      start: (item) => ({ units: responsible(item).map((one) => one.unit) }),
      body: (v) => ({ note: text(v, 'note'), due_on: given(v, 'due_on'), units: list(v, 'units') }),
    },
    {
      id: 'hanging', verbs: ['hang'], label: w.value.verb.hang!, kind: 'hanging', paper: true, danger: true,
      path: (item) => `${base(item)}/hanging`,
      fields: () => [
        { name: 'reason_code', label: t.hangWhy, kind: 'choice', need: 'reason_code', choices: choices(w.value.hangReason) },
        { name: 'note', label: t.reason, kind: 'text', need: 'note' },
        { name: 'review_on', label: t.reviewOn, kind: 'date', need: 'review_on', hint: t.reviewOnHint },
        { name: 'paper', label: t.hangPaper, kind: 'line', need: 'paper', hint: t.hangPaperHint },
      ],
      body: (v) => ({ reason_code: given(v, 'reason_code'), note: text(v, 'note'), review_on: given(v, 'review_on'), paper: text(v, 'paper') }),
    },
    {
      id: 'return', verbs: ['send_back'], label: w.value.verb.send_back!, kind: 'review', danger: true,
      path: (item) => `${base(item)}/returns`,
      fields: () => [
        { name: 'reason_code', label: t.returnWhy, kind: 'choice', need: 'reason_code', choices: choices(w.value.returnReason) },
        { name: 'note', label: t.returnNote, kind: 'text', need: 'note' },
      ],
      body: (v) => ({ reason_code: given(v, 'reason_code'), note: text(v, 'note') }),
    },
    {
      id: 'voiding', verbs: ['ask_void'], label: w.value.verb.ask_void!, kind: 'voiding', danger: true,
      path: (item) => `${base(item)}/voiding`,
      fields: () => [{ name: 'note', label: t.reason, kind: 'text', need: 'note' }],
      body: (v) => ({ note: text(v, 'note') }),
    },
    {
      id: 'dropping', verbs: ['drop'], label: w.value.verb.drop!, danger: true,
      path: (item) => `${base(item)}/dropping`,
      fields: () => [{ name: 'note', label: t.reason, kind: 'text', need: 'note' }],
      body: (v) => ({ note: text(v, 'note') }),
    },
  ]
}

/** Open moves that a phone has no form for. Named, so that nobody looks for them here. */
export function withoutForm(item: Detail): Verb[] {
  const known = new Set(acts().flatMap((act) => act.verbs))
  return item.moves.map((move) => move.verb).filter((verb) => !known.has(verb))
}

export interface OpenAct {
  act: Act
  moves: Move[]
}

/** The acts that are open on this item for the person who asked, in their order. */
export function openActs(item: Detail): OpenAct[] {
  return acts()
    .map((act) => ({ act, moves: item.moves.filter((move) => act.verbs.includes(move.verb)) }))
    .filter(({ act, moves }) => moves.length > 0 && (act.target === undefined || act.target(item) !== undefined))
}

/** What one of its moves still needs that no input of the form gives: it cannot be done yet. */
export function stillNeeded(item: Detail, open: OpenAct): string[] {
  const supplied = new Set(open.act.fields(item, verbsOf(open)).map((field) => field.need))
  const first = open.moves[0]!
  return first.needs.filter((need) => !supplied.has(need.field)).map((need) => need.sentence)
}

export function verbsOf(open: OpenAct): ReadonlySet<Verb> {
  return new Set(open.moves.map((move) => move.verb))
}

/** Which input is still missing, with the server's own sentence for it. */
export function missing(item: Detail, open: OpenAct, values: Values): { field: Field; sentence: string } | null {
  const verb = open.act.means?.(values) ?? open.moves[0]!.verb
  const move = open.moves.find((one) => one.verb === verb) ?? open.moves[0]!
  const asked = open.act.fields(item, verbsOf(open)).filter((field) => !field.when || field.when(values))
  const given = asked.filter((field) => filled(values[field.name], field.least))
  for (const field of asked) {
    if (given.some((one) => one === field || (field.need && one.need === field.need))) continue
    if (field.kind === 'choice' && field.name !== 'due_on') return { field, sentence: choose(field.label) }
    const need = move.needs.find((one) => one.field === field.need)
    if (need && field.need !== 'outside_reason') return { field, sentence: need.sentence }
  }
  return null
}

const choosing = words({ choose: (what: string) => `要选${what}` }, { choose: (what: string) => `Choose: ${what}` })
const choose = (label: string) => choosing.value.choose(label)

function filled(value: Values[string] | undefined, least = 1): boolean {
  return Array.isArray(value) ? value.length >= least : typeof value === 'boolean' ? true : Boolean(value?.trim())
}
