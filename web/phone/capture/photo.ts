// From what a camera or a gallery gives to what the server takes: kept as shot where it can be, made a JPEG where not.
import readerUrl from 'heic-to/csp?url'
import { newId } from '@/shared/ids'
import { sha256 } from '../queue/hash'
import type { Capture, ManifestLine, MediaType, Position, Source } from '../queue/model'

/** What backend/evidence/rules.py allows a photo. */
const MOST_BYTES = 12 * 2 ** 20
const MOST_PIXELS = 50_000_000
const THUMB = 192
const QUALITY = 0.9

export interface Photo {
  id: string
  name: string
  /** What the server will be told; null while it cannot be sent. */
  line: ManifestLine | null
  /** A small JPEG in Base64, to be shown without opening the whole; empty until it is made. */
  thumb: string
  size: number
  source: Source
  at: number
  /** This browser cannot open it: kept as it is, and said so. */
  unfit: boolean
  /** Of an unfit one that our own reader may still open: what is to be said of it then. */
  moment: Moment | null
  /** What it was before this phone made a JPEG of it. */
  was: { type: string; size: number } | null
  removed_at: number | null
}

export interface Moment {
  source: Source
  name: string
  captured_at: string | null
  position: Position | null
  capture: Capture
}

/** By the first bytes, as the server will see it; null for what it does not take. */
export function kindOf(head: Uint8Array): MediaType | null {
  const text = String.fromCharCode(...head.subarray(0, 12))
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'image/jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (text.startsWith('RIFF') && text.slice(8) === 'WEBP') return 'image/webp'
  return null
}

/** ISO/IEC 23008-12: the brands of still pictures in HEVC. */
const HEIC = /^ftyp(hei[cxms]|hev[cxms]|mif1|msf1)/

/** What a phone's camera makes that saves room: Safari opens it, other browsers do not. */
export function isHeic(head: Uint8Array): boolean {
  return HEIC.test(String.fromCharCode(...head.subarray(4, 12)))
}

export interface Taken {
  photo: Photo
  bytes: Blob
}

/**
 * A photo that can be stored at once: bytes as they came when the server takes them, otherwise a JPEG of them. What this
 * browser cannot open is `unfit`: kept, shown, not sent.
 */
export async function taken(given: Blob, moment: Moment, longest: number): Promise<Taken> {
  const id = newId()
  const head = new Uint8Array(await given.slice(0, 12).arrayBuffer())
  const kind = kindOf(head)
  const base = { id, name: moment.name, thumb: '', source: moment.source, at: Date.now(), moment: null, removed_at: null }
  if (kind && given.size <= MOST_BYTES) {
    const line = await lineOf(id, given, kind, moment)
    return { photo: { ...base, line, size: given.size, unfit: false, was: null }, bytes: given }
  }
  const was = { type: kind ?? (isHeic(head) ? 'image/heic' : given.type), size: given.size }
  const smaller = await redrawn(given, longest)
  if (!smaller) {
    const later = isHeic(head) ? moment : null
    return { photo: { ...base, line: null, size: given.size, unfit: true, was, moment: later }, bytes: given }
  }
  const line = await lineOf(id, smaller, 'image/jpeg', moment)
  return { photo: { ...base, line, size: smaller.size, unfit: false, was }, bytes: smaller }
}

/**
 * The second look, after the bytes are safe: its thumbnail, a smaller copy of what has too many pixels, a JPEG of what only
 * our own reader opens. That one is fetched when it is first needed: without a signal the photo waits as it is.
 */
export async function looked({ photo, bytes }: Taken, longest: number): Promise<Taken> {
  if (photo.unfit && photo.moment) return converted(photo, photo.moment, bytes, longest)
  if (photo.unfit || !photo.line) return { photo, bytes }
  const picture = await decoded(bytes)
  if (!picture) return { photo: { ...photo, unfit: true, line: null }, bytes }
  try {
    const thumb = await base64(await drawn(picture, THUMB))
    const tooMany = picture.width * picture.height > MOST_PIXELS || Math.max(picture.width, picture.height) > longest
    const smaller = tooMany ? await drawn(picture, longest) : null
    if (!smaller) return { photo: { ...photo, thumb }, bytes }
    const line = { ...photo.line, sha256: await sha256(smaller), size: smaller.size, media_type: 'image/jpeg' as const }
    const was = photo.was ?? { type: photo.line.media_type, size: photo.size }
    return { photo: { ...photo, thumb, line, size: smaller.size, was }, bytes: smaller }
  } finally {
    picture.close()
  }
}

/** Fetched before it is imported: an import that once failed is not tried again while the page is open. */
async function heicReader(): Promise<typeof import('heic-to/csp')> {
  const answer = await fetch(readerUrl)
  if (!answer.ok) throw new Error(`${readerUrl}: ${answer.status}`)
  return import(/* @vite-ignore */ readerUrl)
}

async function converted(photo: Photo, moment: Moment, bytes: Blob, longest: number): Promise<Taken> {
  const reader = await heicReader().catch(() => null)
  if (!reader) return { photo, bytes }
  const picture = await reader.heicTo({ blob: bytes, type: 'bitmap' }).catch(() => null)
  if (!picture) return { photo: { ...photo, moment: null }, bytes }
  try {
    const made = await drawn(picture, longest)
    const thumb = await base64(await drawn(picture, THUMB))
    const line = await lineOf(photo.id, made, 'image/jpeg', moment)
    return { photo: { ...photo, line, thumb, size: made.size, unfit: false, moment: null }, bytes: made }
  } finally {
    picture.close()
  }
}

async function lineOf(id: string, bytes: Blob, media_type: MediaType, moment: Moment): Promise<ManifestLine> {
  const { captured_at, source, position, capture } = moment
  return { id, sha256: await sha256(bytes), size: bytes.size, media_type, captured_at, source, position, capture }
}

async function redrawn(given: Blob, longest: number): Promise<Blob | null> {
  const picture = await decoded(given)
  if (!picture) return null
  try {
    return await drawn(picture, longest)
  } finally {
    picture.close()
  }
}

async function decoded(bytes: Blob): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(bytes, { imageOrientation: 'from-image' })
  } catch {
    return createImageBitmap(bytes).catch(() => null) // older iPhones know no options, and turn it upright anyway
  }
}

/** Upright, no larger than it is, its longer edge at most so long. */
async function drawn(picture: ImageBitmap, longest: number): Promise<Blob> {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  const context = canvas.getContext('2d')!
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  canvas.width = 0 // iPhones keep the memory of a canvas until then
  if (!made) throw new Error('the canvas gave no picture')
  return made
}

async function base64(bytes: Blob): Promise<string> {
  const whole = new Uint8Array(await bytes.arrayBuffer())
  let text = ''
  for (const byte of whole) text += String.fromCharCode(byte)
  return btoa(text)
}
