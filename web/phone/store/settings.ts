// Settings of this phone, not of a person: readable, small, nothing personal.
import { database } from './database'

export interface DeviceSettings {
  language: 'zh-CN' | 'en'
  theme: 'auto' | 'light' | 'dark' | 'sunlight'
  /** Percent of the normal size of letters. */
  fontScale: 100 | 125 | 150 | 175 | 200
  /** Originals wait for Wi-Fi. */
  wifiOnly: boolean
  queuePaused: boolean
  /** Longest edge of a photo that goes out, in pixels; what is smaller stays as shot. */
  longestEdge: 4096 | 2048
  /** Who signed in last: only the name to type is kept. */
  lastUsername: string
  /** The sealed sign-in, see session.ts. */
  session: unknown
  offsetMs: number
  mapApp: string
  /** How many captures this phone has made. */
  captures: number
}

export async function getSetting<K extends keyof DeviceSettings>(name: K): Promise<DeviceSettings[K] | undefined> {
  return (await (await database()).get('settings', name)) as DeviceSettings[K] | undefined
}

export async function putSetting<K extends keyof DeviceSettings>(name: K, value: DeviceSettings[K]): Promise<void> {
  await (await database()).put('settings', value, name)
}

export async function removeSetting(name: keyof DeviceSettings): Promise<void> {
  await (await database()).delete('settings', name)
}
