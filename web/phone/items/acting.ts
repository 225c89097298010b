// Sending an act: through the queue where it has an id of its own and so can wait on the phone; at once where it answers
// something that others wait for. Either way the answer is the item as it is now, or a sentence.
import { call, send } from '@/shared/client'
import { newId } from '@/shared/ids'
import { Refused, sentence, Unreachable } from '@/shared/problem'
import { words } from '@/shared/words'
import { addAndWait, queue, takeBack, type RequestFile } from '../queue'
import { write } from '../store'
import { keep } from '../sync'
import type { OpenAct, Values } from './acts'
import type { Detail } from './types'

export type Done =
  | { is: 'stored'; item: Detail | null }
  | { is: 'kept' }
  | { is: 'stale'; sentence: string }
  | { is: 'refused'; sentence: string; field: string | null }
  | { is: 'unreachable'; sentence: string }

const t = words(
  {
    stale: '别人刚刚处理过这个事项。您写的内容还在，请看一下最新情况再提交。',
    needsSignal: '这一步要有信号才能提交。您写的内容已存在手机里，有信号后再点一次。',
  },
  {
    stale: 'Somebody was faster on this item. What you wrote is still here: look at the latest state, then send again.',
    needsSignal: 'This step needs a signal. What you wrote is kept on this phone: tap again when there is one.',
  },
)

export interface Sending {
  item: Detail
  open: OpenAct
  values: Values
  /** Under which the draft lies and the record is sent: the same at every try. */
  id: string
  files: RequestFile[]
  /** Whose part, where several units could be meant. */
  unit: string | null
  /** What the form needs to be opened again. */
  written: unknown
}

export async function perform(it: Sending): Promise<Done> {
  const { act } = it.open
  const target = act.target?.(it.item) ?? it.id
  const body: Record<string, unknown> = { ...act.body(it.values, it.item, target) }
  if (act.kind && act.target === undefined) body.id = it.id
  if (it.unit) body.unit = it.unit
  return act.kind ? queued(it, act.kind, act.path(it.item, target), body, target) : atOnce(it, addressOf(it, target), body)
}

/** Who decides on what is on the screen says which version that was; a unit's own steps follow each other offline. */
function versionOf({ item }: Sending): Record<string, string> {
  const waiting = queue.entries.some((entry) => entry.thing === thing(item.id) && entry.record !== 'stored')
  return waiting || !navigator.onLine ? {} : { 'If-Match': `"${item.version}"` }
}

export const thing = (item: string): string => `item/${item}`

async function queued(it: Sending, kind: string, path: string, body: Record<string, unknown>, id: string): Promise<Done> {
  const ending = await addAndWait({
    id,
    kind,
    thing: thing(it.item.id),
    title: `${it.open.act.label}：${it.item.topic_name}${it.item.number ? ` ${it.item.number}` : ''}`,
    method: 'POST',
    path,
    body,
    files: it.files,
    headers: versionOf(it),
    form: it.written,
  })
  if (ending.is === 'kept') return { is: 'kept' }
  if (ending.is === 'stored') return { is: 'stored', item: await adopted(it.item.id, ending.answer) }
  await takeBack(ending.entry.id) // the form is still open and holds every word of it
  return refusal(new Refused({ type: '', title: '', ...ending.problem, field: ending.problem.field ?? undefined, request_id: undefined }))
}

function addressOf(it: Sending, target: string): string {
  const path = it.open.act.path(it.item, target)
  if (it.open.act.id === 'void') return `${path}/${it.values.answer === 'no' ? 'refusal' : 'confirmation'}`
  if (it.open.act.id === 'measure-end') return `${path}/${String(it.values.measure)}/${String(it.values.answer)}`
  return path
}

async function atOnce(it: Sending, path: string, body: Record<string, unknown>): Promise<Done> {
  try {
    const bare = it.open.act.id === 'void' && it.values.answer !== 'no'
    const answer = await send('post', path, { body: bare ? undefined : body, headers: versionOf(it) })
    const item = (await answer.json()) as Detail
    await keep(`items/${item.id}`, item)
    await write([{ remove: 'drafts', id: it.id }])
    return { is: 'stored', item }
  } catch (wrong) {
    if (wrong instanceof Unreachable) return { is: 'unreachable', sentence: t.value.needsSignal }
    return refusal(wrong)
  }
}

function refusal(wrong: unknown): Done {
  if (wrong instanceof Refused && wrong.code === 'stale') return { is: 'stale', sentence: t.value.stale }
  const field = wrong instanceof Refused ? (wrong.problem.field ?? null) : null
  return { is: 'refused', sentence: sentence(wrong), field }
}

/** The answer is the item as it is now; kept, so that the next screen shows it at once. */
async function adopted(id: string, answer: Record<string, unknown> | null): Promise<Detail | null> {
  try {
    if (answer && answer.id === id) {
      await keep(`items/${id}`, answer)
      return answer as unknown as Detail
    }
    const item = await call('get', '/api/rectifications/{item_id}', { path: { item_id: id } })
    await keep(`items/${id}`, item)
    return item
  } catch {
    return null
  }
}

export { newId }
