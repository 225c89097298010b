// What an entry waits for now, in one word; words.ts has the sentences.
import { conditions, queue, type Entry } from '../../queue'
import { waitsFor, type Waiting } from '../../queue/rules'

export function waitsHere(entry: Entry, online: boolean): Waiting {
  const halted = queue.sending.halted
  const found = waitsFor(entry, queue.entries, { at: Date.now(), conditions: { ...conditions(), online }, settings: queue.settings })
  return found === 'turn' && (halted === 'stranger' || halted === 'offline') ? halted : found
}
