// What waits on this phone to be sent: an entry is one record with its files. Types only; no rule, no browser.

/** Who made a file's bytes: our camera, or somebody's gallery. A claim, like everything a phone says. */
export type Source = 'camera' | 'gallery' | 'unknown'

/** The kinds the server takes (backend/evidence/rules.py). Photos are what this phone makes. */
export type MediaType =
  | 'image/jpeg' | 'image/png' | 'image/webp'
  | 'audio/mp4' | 'audio/aac' | 'audio/mpeg' | 'audio/ogg' | 'audio/webm' | 'audio/wav'
  | 'video/mp4' | 'video/quicktime' | 'video/webm' | 'application/pdf'

/** A point as the device gave it; what it does not know is left out. */
export interface Position {
  lat: number
  lng: number
  accuracy_m: number
  datum?: 'wgs84' | 'gcj02' | 'bd09'
  altitude_m?: number | null
  heading_deg?: number | null
  speed_mps?: number | null
}

/** What was noted at the shutter (trust.md 3.4): the last token of the server's time, and clocks beside it. */
export interface Capture {
  token?: string | null
  token_received_at?: string | null
  since_token_ms?: number | null
  counter?: number | null
}

/** One line of a manifest, as the server reads it. */
export interface ManifestLine {
  id: string
  sha256: string
  size: number
  media_type: MediaType
  captured_at?: string | null
  source: Source
  position?: Position | null
  capture?: Capture | null
}

/** What the server, or nobody, said to the last try. */
export interface Problem {
  status: number
  code: string
  detail: string
  field?: string | null
  request_id?: string | null
  details?: Record<string, unknown>
}

/** Why the next try is not now: nobody answered, it is the server's trouble, a quota of the day, no room there. */
export type Cause = 'network' | 'server' | 'quota' | 'room'

export interface Trying {
  tries: number
  next_at: number
  cause: Cause | null
  problem: Problem | null
}

export interface OutgoingFile extends Trying {
  id: string
  sha256: string
  size: number
  media_type: MediaType
  source: Source
  name: string
  state: 'waiting' | 'sent' | 'parked'
  /** Bytes that the server has said it holds. */
  sent: number
  /** Where tus goes on; forgotten with the receipt. */
  upload: string | null
  /** Whether the bytes still lie on this phone. */
  kept: boolean
}

/** What the server last said of the record: so many of its files are there. */
export interface ServerCount {
  declared: number
  arrived: number
  at: number
}

export interface Entry extends Trying {
  id: string
  /** First in, first out within one of these: `visit/ID`, `item/ID`. */
  thing: string
  /** The word of the receipt: arrival, finding, submission, hand_in … */
  kind: string
  title: string
  method: 'PUT' | 'POST' | 'DELETE'
  path: string
  /** The exact bytes, as text: the receipt speaks of their hash. */
  body: string
  sha256: string
  headers: Record<string, string>
  /** Danger to life: before everything else. */
  urgent: boolean
  /** Waits until everything before it in its thing is stored, also what is parked. */
  whole: boolean
  /** Whether the answer brings a signed receipt. */
  signed: boolean
  seq: number
  made_at: number
  record: 'waiting' | 'stored' | 'parked'
  held: boolean
  files: OutgoingFile[]
  server: ServerCount | null
  stored_at: number | null
  done_at: number | null
  /** What the form was made from, so that it can be opened again. */
  form: unknown
}

/** A receipt with what it speaks of: kept when the bytes are long gone. */
export interface KeptReceipt {
  id: string
  thing: string
  kind: string
  note: string
  sha256: string
  size: number | null
  stored_at: string
  /** Whether this phone could check the signature: null where it cannot (no Ed25519 here, no key yet). */
  verified: boolean | null
  entry: string
  kept_at: number
  /** With the receipt of a record: what was sent, for as long as the phone shows it. */
  sent: Entry | null
}

export interface Settings {
  /** Photos wait for Wi-Fi; records never do. */
  wifi_only: boolean
  paused: boolean
  /** Days that bytes stay here after their receipt came. */
  keep_days: number
  /** Longer edges of photos are made this long: more shows nothing more, and costs signal. */
  longest_edge: 4096 | 2048
}

/** What an answer came to. */
export type Answer =
  | { kind: 'answered'; status: number; body: unknown; retry_after: number | null }
  | { kind: 'stranger'; status: number }
  | { kind: 'nobody' }
  | { kind: 'stopped' }

/** What the phone is in, as far as sending goes. `metered` is null where no browser tells. */
export interface Conditions {
  online: boolean
  signed_in: boolean
  metered: boolean | null
}

/** A file of a request: what the server is told of it. Its bytes lie in the store under the same id. */
export interface RequestFile {
  line: ManifestLine
  name: string
}

/** What a form hands over. `evidence` goes into the body by itself when there are files. */
export interface Request {
  /** The id made on this phone, the one that stands in the path or body: the receipt speaks of it. */
  id: string
  /** The word of its receipt (backend/receipts.py). */
  kind: string
  /** `visit/ID` or `item/ID`: what is sent in order. */
  thing: string
  /** What the queue shows: 登记问题：饮水管网冻裂. */
  title: string
  method: 'PUT' | 'POST' | 'DELETE'
  path: string
  body: Record<string, unknown>
  /** Send no body at all. */
  bare?: boolean
  files?: RequestFile[]
  headers?: Record<string, string>
  urgent?: boolean
  whole?: boolean
  signed?: boolean
  /** What the form needs to be opened again. */
  form?: unknown
}

export const SETTINGS: Settings = { wifi_only: false, paused: false, keep_days: 3, longest_edge: 4096 }
