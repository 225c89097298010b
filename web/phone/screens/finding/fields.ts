// The fields of a finding, what is still missing before it can be handed over, and the request made of them. No screen.
import type { components } from '@/shared/api'
import type { Line } from '../../households/lines'
import type { Photo } from '../../capture/photo'
import type { Position, Request } from '../../queue/model'

export type FindingBody = components['schemas']['FindingIn']
export type Severity = 'ordinary' | 'serious' | 'grave'
export type ClosingClass = 'fix_now' | 'by_date' | 'long_term'
export const SEVERITIES: Severity[] = ['ordinary', 'serious', 'grave']
export const CLASSES: ClosingClass[] = ['fix_now', 'by_date', 'long_term']

/** The household as it was picked: masked, and enough to know it again; and who of it, where it is about one of them. */
export type Concerned = Omit<Line, 'version' | 'persons'> & { person?: Line['persons'][number] | null }

export interface FindingFields {
  topic: string
  facts: string
  asks: string
  severity: Severity
  closing_class: ClosingClass
  danger_to_life: boolean
  no_evidence_reason: string
  place_note: string
  position: Position | null
  responsible: { id: string; name: string }[]
  lead: { id: string; name: string }[]
  household: Concerned | null
  /** When the form was begun: when the fact was seen, by this phone's clock. */
  found_at: string
}

export function fresh(at = new Date().toISOString()): FindingFields {
  return {
    topic: '', facts: '', asks: '', severity: 'ordinary', closing_class: 'by_date', danger_to_life: false,
    no_evidence_reason: '', place_note: '', position: null, responsible: [], lead: [], household: null, found_at: at,
  }
}

export type Missing = 'photos' | 'converting' | 'unfit' | 'topic' | 'facts' | 'same_unit'

/** What the server would refuse, asked before it has to (inspections/findings/rules.py). In the order of the form. */
export function missing(fields: FindingFields, photos: readonly Photo[]): Missing[] {
  const found: Missing[] = []
  if (!photos.some((photo) => photo.line) && !fields.no_evidence_reason.trim()) found.push('photos')
  if (photos.some((photo) => !photo.line && photo.moment)) found.push('converting')
  if (photos.some((photo) => !photo.line && !photo.moment)) found.push('unfit')
  if (!fields.topic) found.push('topic')
  if (!fields.facts.trim()) found.push('facts')
  const lead = new Set(fields.lead.map((unit) => unit.id))
  if (fields.responsible.some((unit) => lead.has(unit.id))) found.push('same_unit')
  return found
}

/** Of several photos the most exact point, unless the person asked for one. */
export function placeOf(fields: FindingFields, photos: readonly Photo[]): Position | null {
  if (fields.position) return fields.position
  const points = photos.map((photo) => photo.line?.position).filter((it): it is Position => it != null)
  return points.sort((one, other) => one.accuracy_m - other.accuracy_m)[0] ?? null
}

export function requestOf(id: string, visit: string, title: string, fields: FindingFields, photos: readonly Photo[]): Request {
  const body: Omit<FindingBody, 'evidence'> = {
    topic: fields.topic,
    facts: fields.facts.trim(),
    asks: fields.asks.trim(),
    found_at: fields.found_at,
    severity: fields.severity,
    closing_class: fields.closing_class,
    danger_to_life: fields.danger_to_life,
    no_evidence_reason: photos.length ? '' : fields.no_evidence_reason.trim(),
    place_note: fields.place_note.trim(),
    position: placeOf(fields, photos),
    responsible_units: fields.responsible.map((unit) => unit.id),
    lead_units: fields.lead.map((unit) => unit.id),
    household: fields.household?.id ?? null,
    person: fields.household?.person?.id ?? null,
    region: fields.household?.region ?? null, // its village lies in the place of the visit, and says more
  }
  return {
    id, kind: 'finding', thing: `visit/${visit}`, title, method: 'PUT', path: `/api/visits/${visit}/findings/${id}`,
    body: body as unknown as Record<string, unknown>, urgent: fields.danger_to_life,
    files: photos.flatMap((photo) => (photo.line ? [{ line: photo.line, name: photo.name }] : [])),
  }
}
