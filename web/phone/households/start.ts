// Once somebody is signed in: with each document of the day the households are copied that can be needed without a signal.
import { alsoCopy } from '../sync'

let begun = false

export default function start(): void {
  if (begun) return
  begun = true
  alsoCopy(async () => (await import('./copies')).copyHouseholds())
}
