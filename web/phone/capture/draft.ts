// A form that loses nothing: stored as it is typed, photos before anything else, discarded only with a way back.
import { computed, onScopeDispose, reactive, ref, watch } from 'vue'
import { NobodyHere } from '@/shared/problem'
import { serverNow } from '@/shared/time'
import { onChance, online } from '@/phone/network'
import { insist, measureRoom } from '@/phone/store'
import { holdUpdates } from '@/phone/updates'
import { discardDraft } from '../queue'
import { type Draft, store, UNDO_FOR } from '../queue/store'
import { type Moment, type Photo, type Taken, looked, taken } from './photo'

/** What lies in a draft: the fields of the form, and its photos. */
export interface Written<Form> {
  fields: Form
  photos: Photo[]
}

export interface Writing<Form> {
  id: string
  kind: string
  thing: string
  title(fields: Form): string
  fresh(): Form
}

const SOON = 250
const AGAIN = 5_000 // a signal that has just come back may not carry the first request

export function useDraft<Form extends object>(how: Writing<Form>) {
  const written = reactive<Written<Form>>({ fields: how.fresh(), photos: [] }) as Written<Form>
  /** By the server's clock, as it is shown; null before the first time. */
  const savedAt = ref<number | null>(null)
  /** Something was changed since, and is stored in a moment. */
  const pending = ref(false)
  const failed = ref<unknown>(null)
  const ready = ref(false)
  const busy = ref(0)
  const photos = computed(() => written.photos.filter((photo) => photo.removed_at === null))
  const whose = store.whose()
  /** How many changes there were; what is stored later than it was begun may lack the last ones. */
  let changes = 0
  let over = false
  let left = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  const letGo = holdUpdates()
  const noMoreChances = onChance(() => !busy.value && void lookAgain())

  const opening = open()

  async function open(): Promise<void> {
    const there = await store.draft(how.id)
    if (there) {
      const kept = there.form as Written<Form>
      Object.assign(written.fields, kept.fields)
      written.photos = kept.photos
      savedAt.value = there.saved_at
    }
    ready.value = true
    watch(() => written.fields, soon, { deep: true })
    const gone = written.photos.filter((photo) => photo.removed_at !== null && Date.now() - photo.removed_at > UNDO_FOR)
    if (gone.length || there?.discarded_at != null) void purge(gone.map((photo) => photo.id)).catch(() => undefined)
    await lookAgain()
  }

  /** At photos whose thumbnail was not made before the browser was closed, or whose reader could not be fetched. */
  async function lookAgain(): Promise<void> {
    for (const photo of photos.value.filter((one) => !one.thumb && (!one.unfit || one.moment))) {
      const bytes = await store.bytes(photo.id)
      if (bytes) await second({ photo, bytes })
    }
  }

  function draft(): Draft {
    const form = JSON.parse(JSON.stringify({ fields: written.fields, photos: written.photos })) as Written<Form>
    return {
      id: how.id, kind: how.kind, thing: how.thing, title: how.title(form.fields), form, saved_at: serverNow(),
      files: form.photos.map((photo) => photo.id), discarded_at: null,
    }
  }

  /** What the form says. `removed`: photos that go. */
  async function save(removed: string[] = []): Promise<void> {
    clearTimeout(timer)
    try {
      await insist(() => write([], removed))
    } catch (wrong) {
      failed.value = wrong
      if (!left && !(wrong instanceof NobodyHere)) timer = setTimeout(() => void save().catch(() => undefined), AGAIN)
      throw wrong
    }
  }

  /** What the form holds in this moment. */
  async function write(added: Taken[], removed: string[] = []): Promise<void> {
    if (over) return
    // A photo that took long to convert, for who has gone: the draft as it was saved before it waits for them.
    if (whose !== store.whose()) throw new NobodyHere('the form of somebody who has gone')
    const now = draft()
    const upTo = changes
    await store.saveDraft(now, added.map(({ photo, bytes }) => ({ about: about(photo), bytes })), removed)
    pending.value = changes !== upTo
    if (!pending.value) clearTimeout(timer)
    savedAt.value = now.saved_at
    failed.value = null
  }

  function soon(): void {
    changes += 1
    pending.value = true
    clearTimeout(timer)
    timer = setTimeout(() => void save().catch(() => undefined), SOON)
  }

  const about = (photo: Photo) => ({
    id: photo.id, thing: how.id, name: photo.name, media_type: photo.line?.media_type ?? 'application/octet-stream', size: photo.size,
  })

  /** Stored when this resolves: closing the browser then loses nothing. Throws QuotaExceededError when the phone is full. */
  async function addPhoto(given: Blob, moment: Moment): Promise<void> {
    busy.value += 1
    try {
      await opening
      const first = await taken(given, moment, (await store.settings()).longest_edge)
      // Asked, Chromium counts anew. By an old count it begins a photo that finds no room, and what it leaves of it on the
      // disk counts as ours from then on: there would be none for the text of the form either.
      await measureRoom()
      written.photos.push(first.photo)
      try {
        await write([first])
      } catch (wrong) {
        written.photos = written.photos.filter((photo) => photo.id !== first.photo.id)
        void save().catch(() => undefined) // the rest may well have room
        throw wrong
      }
      void second(first)
    } finally {
      busy.value -= 1
    }
  }

  async function second(first: Taken): Promise<void> {
    busy.value += 1
    try {
      const now = await looked(first, (await store.settings()).longest_edge)
      if (now.bytes === first.bytes) {
        if (stands(now.photo)) await save()
        return
      }
      await measureRoom()
      if (!stands(now.photo)) return
      try {
        await write([now])
      } catch (wrong) {
        stands(first.photo) // what it is declared with is what its bytes are
        void save().catch(() => undefined)
        throw wrong
      }
    } catch {
      // the photo is stored as it came
    } finally {
      busy.value -= 1
      clearTimeout(again)
      if (online.value && photos.value.some((one) => one.moment)) again = setTimeout(() => void lookAgain(), AGAIN)
    }
  }

  /** This is what the form says of that photo now; not when it was taken out meanwhile. */
  function stands(photo: Photo): boolean {
    const at = written.photos.findIndex((one) => one.id === photo.id)
    if (at >= 0) written.photos[at] = { ...photo, removed_at: written.photos[at]!.removed_at }
    return at >= 0
  }

  function removePhoto(id: string, away = true): void {
    for (const photo of written.photos) if (photo.id === id) photo.removed_at = away ? Date.now() : null
    soon()
  }

  async function purge(ids: string[]): Promise<void> {
    written.photos = written.photos.filter((photo) => !ids.includes(photo.id))
    await save(ids)
  }

  /** Handed over: nothing that comes late is stored any more. What was taken out is thrown away now. */
  async function finish(): Promise<Written<Form>> {
    await opening
    while (busy.value) await new Promise((resolve) => setTimeout(resolve, 30))
    await purge(written.photos.filter((photo) => photo.removed_at !== null).map((photo) => photo.id))
    over = true
    clearTimeout(timer)
    return draft().form as Written<Form>
  }

  /** Handing over did not work, the form is open again. */
  const resume = () => {
    over = false
  }

  async function discard(): Promise<void> {
    await save()
    over = true
    try {
      await discardDraft(how.id)
    } catch (wrong) {
      over = false
      throw wrong
    }
  }

  const empty = () => !written.photos.length && JSON.stringify(written.fields) === JSON.stringify(how.fresh())

  const leaving = () => {
    if (pending.value) void save().catch(() => undefined)
  }
  const hidden = () => document.visibilityState === 'hidden' && leaving()
  document.addEventListener('visibilitychange', hidden)
  addEventListener('pagehide', leaving)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', hidden)
    removeEventListener('pagehide', leaving)
    left = true
    clearTimeout(timer)
    leaving()
    letGo()
    noMoreChances()
    clearTimeout(again)
  })

  return {
    fields: written.fields, all: written, photos, ready, savedAt, pending, failed, busy, addPhoto, removePhoto, save, finish, resume, discard, empty,
  }
}

export type DraftOf<Form extends object> = ReturnType<typeof useDraft<Form>>
