// What a line of the queue can do besides waiting: open its form, save its photos outside, say sizes.
import type { RouteLocationRaw } from 'vue-router'
import { router } from '../../router'
import type { Draft, Entry } from '../../queue'
import { store } from '../../queue/store'

/** 0.8 MB, 640 kB: as the phone's own settings say it. */
export function sized(bytes: number): string {
  return bytes >= 1_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`
}

/** Where the form of a draft is: by the kind of draft, as its screen named its route. Null where that screen is not there. */
export function formOf(draft: Draft): RouteLocationRaw | null {
  const [what, id] = draft.thing.split('/')
  if (draft.kind === 'finding' && what === 'visit') return { name: 'finding', params: { visit: id!, finding: draft.id } }
  if (draft.kind === 'arrival' && router.hasRoute('visit')) return { name: 'visit', params: { id: id! } }
  const act = (draft.form as { fields?: { act?: string } } | null)?.fields?.act
  if (what === 'item' && act && router.hasRoute('act')) return { name: 'act', params: { id: id!, act }, query: { draft: draft.id } }
  const record = (draft.form as { fields?: { month?: string; corrects?: string | null } } | null)?.fields
  if (what === 'cell' && record?.month && router.hasRoute('month-record')) {
    return { name: 'month-record', params: { month: record.month, cell: id! }, query: { draft: draft.id, ...(record.corrects ? { corrects: record.corrects } : {}) } }
  }
  if (what === 'feedback' && router.hasRoute('feedback')) return { name: 'feedback', query: { draft: draft.id } }
  if (what === 'item' && router.hasRoute('item')) return { name: 'item', params: { id: id! }, query: { draft: draft.id, kind: draft.kind } }
  return null
}

/** Photos that are only here go to the phone's downloads, each under a name that says when; returns how many. */
export async function saveToPhone(entry: Entry): Promise<number> {
  let saved = 0
  for (const [at, file] of entry.files.entries()) {
    if (!file.kept || file.state === 'sent') continue
    const bytes = await store.bytes(file.id)
    if (!bytes) continue
    const link = document.createElement('a')
    link.href = URL.createObjectURL(bytes)
    const kind = file.media_type.split('/')[1]!.replace('jpeg', 'jpg')
    link.download = `督办-${new Date(entry.made_at).toISOString().slice(0, 10)}-${at + 1}.${kind}`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    saved += 1
  }
  return saved
}
