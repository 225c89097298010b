// The typed way to the API: paths, bodies and answers come from the OpenAPI document (api.d.ts, `./duban docs`).
import type { paths } from './api'
import { NobodyHere, Refused, Unreachable, type Problem } from './problem'
import { learnOffset } from './time'
import { language } from './words'

type Method = 'get' | 'put' | 'post' | 'delete'
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never
}[keyof paths]
type Operation<M extends Method, P extends keyof paths> = paths[P] extends { [K in M]: infer O } ? O : never
type Success<R> = R extends { 200: infer A } ? A : R extends { 201: infer A } ? A : R extends { 202: infer A } ? A : undefined
type Json<A> = A extends { content: { 'application/json': infer T } } ? T : undefined
/** What the call answers. */
export type Answer<M extends Method, P extends keyof paths> =
  Operation<M, P> extends { responses: infer R } ? Json<Success<R>> : never
type Body<O> = O extends { requestBody?: { content: { 'application/json': infer T } } } ? T : undefined
type PathParts<O> = O extends { parameters: { path: infer T } } ? T : undefined
type Query<O> = O extends { parameters: { query?: infer T } } ? T : undefined

export interface Asked<O> {
  path?: PathParts<O>
  query?: Query<O>
  body?: Body<O>
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** How and as whom this phone is signed in, and who is told when the server wants another sign-in; phone/session.ts. */
export const door: {
  token(): string | null
  person(): string | null
  refused(problem: Problem, token: string | null): void
} = {
  token: () => null,
  person: () => null,
  refused: () => {},
}

/** Longest wait for an answer. Photos have their own way (the queue). */
const PATIENCE_MS = 20_000
const NO_BODY = [204, 205, 304]

/**
 * One request. Throws Refused with the server's sentence, Unreachable when no answer came, NobodyHere when it came after
 * the person had gone: it is theirs, and not shown to or kept for whoever is here now.
 */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  asked: Asked<Operation<M, P>> = {},
): Promise<Answer<M, P>> {
  const answer = await send(method, address(path as string, asked.path, asked.query), asked)
  if (answer.status === 204 || answer.headers.get('content-length') === '0') return undefined as Answer<M, P>
  return (await answer.json()) as Answer<M, P>
}

/** The answer of one request, for what is no JSON (pictures, papers); all of it is here. Throws like `call`. */
export async function send(
  method: string,
  url: string,
  asked: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const askedAt = Date.now()
  const [token, asker] = [door.token(), door.person()]
  let answer: Response
  try {
    const begun = await fetch(url, {
      method: method.toUpperCase(),
      headers: headers(token, asked.body !== undefined, asked.headers),
      body: asked.body === undefined ? undefined : JSON.stringify(asked.body),
      signal: asked.signal ?? AbortSignal.timeout(PATIENCE_MS),
      cache: 'no-store',
      credentials: 'omit',
    })
    learnOffset(begun.headers.get('date'), askedAt)
    const body = await begun.arrayBuffer()
    answer = new Response(NO_BODY.includes(begun.status) ? null : body, begun)
  } catch (wrong) {
    if (asked.signal?.aborted) throw wrong
    throw new Unreachable(String(wrong))
  }
  if (asker !== null && asker !== door.person()) throw new NobodyHere('the answer to somebody who has gone')
  if (answer.ok) return answer
  const problem = await problemOf(answer)
  if (answer.status === 401 || problem.code === 'totp_enrolment_needed') door.refused(problem, token)
  const wait = Number(answer.headers.get('retry-after'))
  throw new Refused(problem, Number.isFinite(wait) && wait > 0 ? wait : null)
}

/** Headers that every request of ours carries; the queue gives them to tus as well. */
export function headers(token: string | null, json: boolean, more: Record<string, string> = {}): Record<string, string> {
  return {
    Accept: 'application/json',
    'Accept-Language': language.value,
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
    ...(json ? { 'Content-Type': 'application/json' } : {}),
    ...more,
  }
}

export function address(path: string, parts?: unknown, query?: unknown): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const value = (parts as Record<string, unknown> | undefined)?.[name]
    if (value === undefined) throw new Error(`${path} needs ${name}`)
    return encodeURIComponent(String(value))
  })
  const wanted = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) wanted.append(name, String(one))
    }
  }
  const text = wanted.toString()
  return text ? `${filled}?${text}` : filled
}

async function problemOf(answer: Response): Promise<Problem> {
  const bare: Problem = { type: 'about:blank', title: '', status: answer.status, code: 'unknown', detail: '' }
  try {
    const told = (await answer.json()) as Partial<Problem>
    return typeof told.code === 'string' ? { ...bare, ...told } : bare
  } catch {
    return bare // a proxy's page, not ours
  }
}
