// Once somebody is signed in: with each document of the day the lists, the inbox and the most urgent items are copied.
import { alsoCopy } from '../sync'

let begun = false

export default function start(): void {
  if (begun) return
  begun = true
  alsoCopy(async (today) => {
    const { copyItems, copyLists } = await import('./copies')
    await copyLists()
    await copyItems(today)
  })
}
