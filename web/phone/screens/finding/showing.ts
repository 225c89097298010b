// What the address of a finding shows: its form while it is written here, and what was filed once it was. No screen.

/** What this phone knows of it: a draft; that it was begun here a moment ago; that it was handed over here. */
export interface Here {
  draft: boolean
  begun: boolean
  sent: boolean
}

/** Then its form opens at once, with or without a signal. */
export function writtenHere({ draft, begun, sent }: Here): boolean {
  return draft || (begun && !sent)
}

/** Of one that is not written here. `form`: nobody filed it. `away`: whether anybody did cannot be asked now. */
export type Shows = 'filed' | 'sent' | 'form' | 'looking' | 'away'

/** A finding is never edited: what the server has stands above all, whichever phone it came from. */
export function shows(it: { filed: boolean; sent: boolean; asked: 'not_yet' | 'told' | 'failed' }): Shows {
  if (it.filed) return 'filed'
  if (it.sent) return 'sent'
  return { not_yet: 'looking' as const, told: 'form' as const, failed: 'away' as const }[it.asked]
}
