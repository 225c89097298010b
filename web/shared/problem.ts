// What can go wrong with a request, as a sentence with the next step.
import { language } from './words'

export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  field?: string
  request_id?: string
  details?: Record<string, unknown>
}

/** The server refused, with its own sentence (application/problem+json). */
export class Refused extends Error {
  constructor(
    readonly problem: Problem,
    /** Seconds after which the same request may succeed; null when the server does not say. */
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail)
  }
  get status(): number {
    return this.problem.status
  }
  get code(): string {
    return this.problem.code
  }
}

/** No answer came: no signal, or the server is away. Nothing is known about what became of the request. */
export class Unreachable extends Error {}

/** Nobody is signed in on this phone, or no longer the one whom this concerned. */
export class NobodyHere extends Error {}

/**
 * The phone is full. QuotaExceededError is what we may use of it, and rarely the first to say so: where nothing is left on
 * the phone at all, Chromium says that it could not write a file.
 */
export function isFull(wrong: unknown): boolean {
  if (!(wrong instanceof DOMException)) return false
  return wrong.name === 'QuotaExceededError' || /Failed to write blobs|NO_SPACE/.test(wrong.message)
}

/** One sentence for a person, in the language of the screens. Never empty. */
export function sentence(wrong: unknown): string {
  const zh = language.value === 'zh-CN'
  if (wrong instanceof Unreachable) {
    return zh
      ? '现在连不上服务器。内容都在手机里，有信号后再试。'
      : 'The server cannot be reached. Everything is kept on this phone; try again with a signal.'
  }
  if (wrong instanceof Refused) {
    const number = wrong.status >= 500 && wrong.problem.request_id ? (zh ? `（编号 ${wrong.problem.request_id.slice(0, 8)}）` : ` (no. ${wrong.problem.request_id.slice(0, 8)})`) : ''
    return (wrong.problem.detail || (zh ? '服务器没有接受这个请求。' : 'The server refused.')) + number
  }
  if (isFull(wrong)) {
    return zh
      ? '手机存储空间不足，没有保存。请清理手机空间，或先把待传内容传完。'
      : 'The phone is out of storage: not saved. Free some space, or let the queue finish first.'
  }
  return zh ? '这一步没有成功，请再试一次；仍不行请在“投诉建议”里告诉我们。' : 'That did not work. Please try again; if it stays so, tell us under Feedback.'
}
