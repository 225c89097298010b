// Papers of the server (PDF): fetched with the sign-in, asked for anew with what is known of them, kept sealed like all
// that was copied, so that what was read once can be read again without a signal.
import { bytesOf, textOf } from '@/shared/base64'
import { send } from '@/shared/client'
import { Refused, Unreachable } from '@/shared/problem'
import { serverNow } from '@/shared/time'
import { session, signInNeeded } from '../session'
import { documents, type Document } from '../store'
import { dropUnseen } from '../sync'

export const PDF = 'application/pdf'

export interface Source {
  /** Under which it is kept on the phone. */
  name: string
  url: string
  /** Under which name it is saved outside. */
  file: string
  /** What is said where there is none. */
  none?: string
}

export interface Paper {
  bytes: Uint8Array<ArrayBuffer>
  /** When it was fetched; null when that was just now. */
  as_of: string | null
}

interface Kept {
  etag: string
  bytes: string
}

const MOST_KEPT = 12_000_000 // bytes; a larger one is read with a signal
/** A paper is set while one waits: a long case with its photos takes a while. */
const PATIENCE_MS = 60_000

/**
 * As it is now, else as it was when it was read last. Throws Refused and, where there is no copy, Unreachable. One that is
 * out of the person's sight now is kept no longer.
 */
export async function fetchPaper(source: Source): Promise<Paper> {
  const name = `papers/${source.name}`
  const kept = await documents.get<Kept>(name, serverNow()).catch(() => undefined)
  try {
    const known: Record<string, string> = kept?.value.etag ? { 'If-None-Match': kept.value.etag } : {}
    const answer = await send('get', source.url, { headers: { Accept: PDF, ...known }, signal: AbortSignal.timeout(PATIENCE_MS) })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    await store(name, answer.headers.get('etag') ?? '', bytes).catch(() => undefined) // a full phone shows it all the same
    return { bytes, as_of: null }
  } catch (wrong) {
    if (kept && wrong instanceof Refused && wrong.status === 304) return opened(kept, null)
    await dropUnseen(name, wrong)
    if (wrong instanceof Refused) throw wrong
    if (kept) return opened(kept, kept.as_of)
    throw wrong instanceof Unreachable ? wrong : new Unreachable(String(wrong))
  }
}

const opened = (kept: Document<Kept>, as_of: string | null): Paper => ({ bytes: bytesOf(kept.value.bytes), as_of })

async function store(name: string, etag: string, bytes: Uint8Array): Promise<void> {
  if (!session.value || signInNeeded.value || bytes.length > MOST_KEPT) return
  await documents.put<Kept>(name, { etag, bytes: textOf(bytes) }, { as_of: new Date(serverNow()).toISOString(), expires: session.value.expires_at })
}

/** Into the phone's own downloads. */
export function saveOutside(source: Source, bytes: Uint8Array<ArrayBuffer>): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([bytes], { type: PDF }))
  link.download = source.file
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
