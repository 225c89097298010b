// One at a time on this phone, whatever tabs are open (Web Locks); within this tab where the browser has no locks.

const lines = new Map<string, Promise<unknown>>()

/** Runs the work when nobody else holds that name. A tab that dies lets go of it. */
export function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (typeof navigator !== 'undefined' && navigator.locks) {
    return navigator.locks.request(`duban/${name}`, work) as Promise<T>
  }
  const before = lines.get(name) ?? Promise.resolve()
  const mine = before.then(work, work)
  lines.set(name, mine.catch(() => undefined))
  return mine
}
