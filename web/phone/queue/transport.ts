// The way to the server: fetch for records, tus for files. What comes back is an Answer, never an exception.

import type { DetailedError } from 'tus-js-client'
import { door, headers } from '@/shared/client'
import type { Problem } from '@/shared/problem'
import { learnOffset } from '@/shared/time'
import { answered as heardOf } from '../network'
import type { Answer, Entry, OutgoingFile } from './model'
import { verified } from './receipts'
import type { Heard, Transport } from './sender'

const PATIENCE = 60_000
/** Without a byte going out for so long the signal is gone, whatever the radio says: the next try finds out where to go on. */
const STALLED = 45_000

export class Http implements Transport {
  private keys: string[] | null = null

  send(entry: Entry, signal: AbortSignal): Promise<Answer> {
    return this.ask(entry.method, entry.path, signal, entry.body, entry.headers)
  }

  look(file: string, signal: AbortSignal): Promise<Answer> {
    return this.ask('GET', `/api/evidence/${file}`, signal)
  }

  async upload(file: OutgoingFile, bytes: Blob, heard: Heard, signal: AbortSignal): Promise<Answer> {
    const token = door.token() // first: whoever is here when the import has come is not meant
    const { Upload } = await import('tus-js-client') // not needed before the first photo
    return new Promise((resolve) => {
      let watching: ReturnType<typeof setTimeout> | undefined
      const settle = (answer: Answer) => {
        clearTimeout(watching)
        resolve(answer)
      }
      const giveUp = (answer: Answer) => void upload.abort().catch(() => undefined).then(() => settle(answer))
      const alive = () => {
        clearTimeout(watching)
        watching = setTimeout(() => giveUp({ kind: 'nobody' }), STALLED)
      }
      const upload = new Upload(bytes, {
        endpoint: '/api/uploads',
        uploadUrl: file.upload,
        headers: headers(token, false),
        metadata: { evidence_id: file.id },
        fingerprint: () => Promise.resolve(`duban/${file.id}`),
        // The queue remembers where an upload goes on; two memories would sooner or later disagree.
        storeFingerprintForResuming: false,
        retryDelays: null,
        onUploadUrlAvailable: () => upload.url && heard.address(upload.url),
        onAfterResponse: alive,
        onProgress: (sent) => {
          alive()
          heard.progress(sent)
        },
        onSuccess: () => settle({ kind: 'answered', status: 200, body: {}, retry_after: null }),
        onError: (error) => settle(told(answerOf(error), token)),
      })
      signal.addEventListener('abort', () => giveUp({ kind: 'stopped' }), { once: true })
      alive()
      upload.start()
    })
  }

  async verified(note: string): Promise<boolean | null> {
    if (this.keys) {
      const known = await verified(note, this.keys)
      if (known !== null) return known
    }
    const answer = await this.ask('GET', '/api/receipt-keys', new AbortController().signal)
    if (answer.kind !== 'answered' || answer.status !== 200) return null
    const items = (answer.body as { items?: { key: string }[] }).items ?? []
    this.keys = items.map((item) => item.key)
    return verified(note, this.keys)
  }

  private async ask(
    method: string, path: string, signal: AbortSignal, body?: string, more: Record<string, string> = {},
  ): Promise<Answer> {
    const [token, askedAt] = [door.token(), Date.now()]
    try {
      const response = await fetch(path, {
        method,
        headers: { ...headers(token, body !== undefined && body !== ''), ...more },
        body: body === undefined || body === '' ? null : body,
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'manual',
        signal: either(signal, AbortSignal.timeout(PATIENCE)),
      })
      learnOffset(response.headers.get('date'), askedAt)
      const answer = told(await answered(response), token)
      heardOf(answer.kind === 'answered')
      return answer
    } catch {
      if (signal.aborted) return { kind: 'stopped' }
      heardOf(false)
      return { kind: 'nobody' }
    }
  }
}

/** Whoever keeps the sign-in hears when the server does not know it any more. */
function told(answer: Answer, token: string | null): Answer {
  if (answer.kind === 'answered' && answer.status === 401) door.refused(answer.body as Problem, token)
  return answer
}

async function answered(response: Response): Promise<Answer> {
  const text = await response.text()
  const retryAfter = seconds(response.headers.get('retry-after'))
  return parsed(response.status, response.headers.get('content-type'), text, retryAfter)
}

/** Only JSON is ours: a page of somebody else on the way says nothing about what was sent. */
function parsed(status: number, type: string | null, text: string, retryAfter: number | null): Answer {
  if (status === 204) return { kind: 'answered', status, body: {}, retry_after: retryAfter }
  if (!/json/.test(type ?? '')) return { kind: 'stranger', status }
  try {
    return { kind: 'answered', status, body: JSON.parse(text), retry_after: retryAfter }
  } catch {
    return { kind: 'stranger', status }
  }
}

function answerOf(error: Error | DetailedError): Answer {
  const response = 'originalResponse' in error ? error.originalResponse : null
  if (!response || response.getStatus() === 0) return { kind: 'nobody' }
  const retryAfter = seconds(response.getHeader('Retry-After') ?? null)
  return parsed(response.getStatus(), response.getHeader('Content-Type') ?? null, response.getBody(), retryAfter)
}

function seconds(text: string | null): number | null {
  const value = Number(text)
  return text !== null && Number.isFinite(value) && value >= 0 ? value : null
}

/** AbortSignal.any, which the iPhones of 2022 do not have. */
function either(one: AbortSignal, other: AbortSignal): AbortSignal {
  const both = new AbortController()
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort()
    signal.addEventListener('abort', () => both.abort(), { once: true })
  }
  return both.signal
}
